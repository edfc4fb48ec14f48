/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_LOGIN_QR_H
#define MAILHAUL_PROC_LOGIN_QR_H

/* Shows text as a QR code on standard output, if that is a terminal that can,
 * and libqrencode is installed; else nothing. */
void login_qr_show(const char *text);

#endif
