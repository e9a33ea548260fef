/*
 * Accept: some offer is chosen, and not one that the line rules out while
 * another one is asked for by name.
 */
#include "accept.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct igw_accept_offer offers[] = {
        { "text/plain", NULL }, { "text/html", "application/xhtml+xml" }
    };
    char *text = fuzz_string(data, size);

    MUST(igw_accept_choose(text, offers, 2) < 2);
    if (strpbrk(text, ";,*/") == NULL) {
        MUST(igw_accept_choose(text, offers, 2) == 0);
    }
    free(text);
    return 0;
}
