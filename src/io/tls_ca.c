/* SPDX-License-Identifier: ISC */
#include "io/tls_ca.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/file.h"
#include "util/mem.h"

static bool
has_certificate(const struct buf *b)
{
	return span_has(buf_span(b), SPAN("-----BEGIN CERTIFICATE-----")) ||
	    span_has(buf_span(b), SPAN("-----BEGIN TRUSTED CERTIFICATE-----"));
}

/* Adds the content of path to *out. */
static int
add_file(const char *path, struct buf *out, struct err *e)
{
	struct buf one;
	int r;

	buf_init(&one, TLS_CA_MAX_OCTETS);
	r = file_read(path, TLS_CA_MAX_OCTETS, &one, e);
	if (r == 0 &&
	    (buf_add(out, buf_span(&one)) != 0 || buf_addc(out, '\n') != 0))
		r = err_set(e, ERR_CONFIG, 0,
		    "%s: more than %zu octets of certificates", path,
		    TLS_CA_MAX_OCTETS);
	buf_deinit(&one);
	if (r != 0 && e != NULL)
		e->kind = ERR_CONFIG;
	return r;
}

/* "5ed36f99.0", as openssl-rehash(1) names them: each certificate once. */
static bool
is_hash_name(const char *name)
{
	size_t hex = strspn(name, "0123456789abcdef");

	return hex == 8 && name[8] == '.' && name[9] != '\0' &&
	    name[9 + strspn(name + 9, "0123456789")] == '\0';
}

static bool
is_pem_name(const char *name)
{
	size_t n = strlen(name);

	return name[0] != '.' && n > 4 &&
	    (strcmp(name + n - 4, ".pem") == 0 ||
		strcmp(name + n - 4, ".crt") == 0);
}

/* Of the files that are named so; how many there are. */
static size_t
add_directory(const char *path, bool (*is_one)(const char *), struct buf *out)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	size_t n = 0;

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		char *file;

		if (!is_one(entry->d_name))
			continue;
		file = mem_printf("%s/%s", path, entry->d_name);
		add_file(file, out, NULL); /* one bad file spoils no other */
		free(file);
		n++;
	}
	closedir(dir);
	return n;
}

/* SSL_CERT_DIR is a list, as PATH is. */
static void
add_directories(const char *list, struct buf *out)
{
	struct span rest = span_of(list);

	while (rest.n > 0) {
		char *path = mem_spandup(span_until(&rest, ':'));

		(void)add_directory(path, is_hash_name, out);
		free(path);
	}
}

static int
read_environment(
    const char *file, const char *dirs, struct buf *out, struct err *e)
{
	if (file != NULL && add_file(file, out, e) != 0)
		return err_prefix(e, "SSL_CERT_FILE");
	if (dirs != NULL)
		add_directories(dirs, out);
	if (!has_certificate(out))
		return err_set(e, ERR_CONFIG, 0,
		    "no certificate in SSL_CERT_FILE or SSL_CERT_DIR; unset "
		    "them or set tls-ca-file");
	return 0;
}

static int
read_system(struct buf *out, struct err *e)
{
	const char *const bundles[] = {
		"/etc/ssl/certs/ca-certificates.crt", /* Debian, Arch */
		"/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora */
		"/etc/ssl/ca-bundle.pem",             /* SUSE */
		"/etc/ssl/cert.pem",                  /* Alpine */
		X509_get_default_cert_file(),
	};

	for (size_t i = 0; i < sizeof(bundles) / sizeof(*bundles); i++)
		if (access(bundles[i], R_OK) == 0 &&
		    add_file(bundles[i], out, e) == 0 && has_certificate(out))
			return 0;
	add_directories(X509_get_default_cert_dir(), out);
	if (has_certificate(out))
		return 0;
	return err_set(e, ERR_CONFIG, 0,
	    "this system has no trusted certificates: install the package "
	    "ca-certificates or set tls-ca-file");
}

static int
read_file(const char *path, struct buf *out, struct err *e)
{
	if (add_file(path, out, e) != 0)
		return err_prefix(e, "tls-ca-file");
	if (!has_certificate(out))
		return err_set(e, ERR_CONFIG, 0,
		    "tls-ca-file: %s holds no certificate (PEM is needed)",
		    path);
	return 0;
}

/* Where there are hash names the others are the same once more. */
static int
read_directory(const char *path, struct buf *out, struct err *e)
{
	struct buf all;
	int r = 0;

	if (access(path, R_OK | X_OK) != 0)
		return err_set(e, ERR_CONFIG, errno, "tls-ca-dir: %s: %s", path,
		    strerror(errno));
	buf_init(&all, TLS_CA_MAX_OCTETS);
	if (add_directory(path, is_hash_name, &all) == 0)
		(void)add_directory(path, is_pem_name, &all);
	if (!has_certificate(&all))
		r = err_set(e, ERR_CONFIG, 0,
		    "tls-ca-dir: %s has no file with a certificate (*.pem, "
		    "*.crt, or names as of openssl-rehash)",
		    path);
	else if (buf_add(out, buf_span(&all)) != 0)
		r = err_set(e, ERR_CONFIG, 0,
		    "tls-ca-dir: %s: too many certificates", path);
	buf_deinit(&all);
	return r;
}

static int
read_named(
    const char *ca_file, const char *ca_dir, struct buf *out, struct err *e)
{
	if (ca_file != NULL && read_file(ca_file, out, e) != 0)
		return -1;
	return ca_dir == NULL ? 0 : read_directory(ca_dir, out, e);
}

int
tls_read_ca(
    const char *ca_file, const char *ca_dir, struct buf *out, struct err *e)
{
	const char *file = secure_getenv("SSL_CERT_FILE");
	const char *dirs = secure_getenv("SSL_CERT_DIR");

	buf_init(out, TLS_CA_MAX_OCTETS);
	if (ca_file != NULL || ca_dir != NULL)
		return read_named(ca_file, ca_dir, out, e);
	if (file != NULL || dirs != NULL)
		return read_environment(file, dirs, out, e);
	return read_system(out, e);
}
