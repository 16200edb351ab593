/* Whatever a line or a broker delivers, into every reader of messages. */
#include <stdlib.h>
#include <string.h>

#include "dhp_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_entries(const dhp_body *body)
{
    dhp_bytes left = body->configuration_chunk.entries;
    dhp_bytes entry;
    dhp_bytes key;
    dhp_ConfigurationEntry decoded;
    while (dhp_next_entry(&left, &entry)) {
        if (!dhp_entry_key(&entry, &key) || key.bytes < entry.bytes || key.bytes + key.length > entry.bytes + entry.length) {
            abort(); /* dhp_read has looked at them */
        }
        (void)dhp_read_entry(entry.bytes, entry.length, &decoded);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dhp_body body;
    dhp_seals seals;
    unsigned tag;
    bool was_sealed;
    memset(&seals, 0, sizeof seals);
    if (dhp_read(data, size, &tag, &body) == DHP_FINE && tag == dhp_Downlink_configuration_chunk_tag) {
        read_entries(&body);
    }
    /* The same with a right seal, as a hub would send it: what is in it is read too. */
    if (dhp_read(data, size, &tag, &body) == DHP_FINE && tag == dhp_Downlink_sealed_tag) {
        uint8_t mac[DHP_SEAL_BYTES];
        dhp_seal(seals.key, 'D', body.sealed.sequence, body.sealed.body.bytes, body.sealed.body.length, mac);
        dhp_bytes inner = body.sealed.body;
        (void)dhp_read(inner.bytes, inner.length, &tag, &body);
    }
    (void)dhp_read_any(&seals, data, size, &tag, &body, &was_sealed);
    return 0;
}
