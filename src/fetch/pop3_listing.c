/* SPDX-License-Identifier: ISC */
#include "fetch/pop3_listing.h"

void
pop3_listing_deinit(struct pop3_listing *l)
{
	sizes_deinit(&l->sizes);
}

/* Not before the server has agreed to list. */
static void
begin(struct pop3_listing *l)
{
	if (!l->begun)
		client_list_begin(l->ledger);
	l->begun = true;
}

void
pop3_listing_uidl(struct pop3_listing *l, const struct pop3_info *info)
{
	uint64_t size = sizes_of(&l->sizes, info->number);

	begin(l);
	client_list_add(l->ledger, info->number, info->uidl, size);
	l->sized = l->sized || size > 0;
}

void
pop3_listing_size(struct pop3_listing *l, const struct pop3_info *info)
{
	sizes_put(&l->sizes, info->number, info->size);
}

void
pop3_listing_end(struct pop3_listing *l, client_box_fn fn)
{
	begin(l);
	client_list_end(l->ledger, fn);
	l->begun = false;
}

enum pop3_listing_answer
pop3_listing_again(struct pop3_listing *l, const struct client_box_info *info,
    struct pop3 *machine)
{
	if (info->repeated == 0 || l->sized)
		return POP3_LISTING_DONE;
	if (l->again)
		return POP3_LISTING_HOPELESS;
	l->again = true;
	pop3_list(machine);
	pop3_uidl(machine);
	return POP3_LISTING_AGAIN;
}
