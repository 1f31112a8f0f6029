// SPDX-License-Identifier: Apache-2.0
// One kernel key per answer, expanded by ChaCha20 in blocks. Each refill takes its first bytes as the next key and
// forgets the old one, and bytes are wiped as they are handed out: who reads this memory later learns no noise drawn
// before. The pages are marked wipe-on-fork and kept out of core dumps; a child of fork finds is_live zero and is
// refused.
#include "service/base/random.h"
#include "service/base/crypto.h"
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK_SIZE 4096u // a run of many ChaCha20 blocks, and little more than a small answer needs

struct gw_random {
    bool is_live;   // false in a forked child, and after nothing else
    bool is_pinned; // the kernel could not mark the pages: the process id is compared instead
    pid_t owner;
    size_t used;
    struct {
        uint8_t next_key[GW_STREAM_KEY_SIZE];
        uint8_t bytes[BLOCK_SIZE];
    } block; // one keystream run
};

gw_status gw_random_new(gw_random **ret) {
    gw_random *random = mmap(NULL, sizeof(*random), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (random == MAP_FAILED)
        return GW_NO_MEMORY;
    random->is_pinned = madvise(random, sizeof(*random), MADV_WIPEONFORK) != 0;
    // Best effort: without it the key is as safe as the process's other memory, and it dies with the answer.
    madvise(random, sizeof(*random), MADV_DONTDUMP);
    random->owner = getpid();
    random->is_live = true;
    gw_status status = gw_random_reseed(random);
    if (status != GW_OK) {
        gw_random_free(random);
        return status;
    }
    *ret = random;
    return GW_OK;
}

gw_status gw_random_reseed(gw_random *random) {
    if (!random->is_live || (random->is_pinned && random->owner != getpid()))
        return GW_UNAVAILABLE; // a forked child's copy stays refused
    gw_wipe(&random->block, sizeof(random->block));
    random->used = BLOCK_SIZE;
    if (gw_random_bytes(random->block.next_key, sizeof(random->block.next_key)))
        return GW_OK;
    random->is_live = false; // the wiped key must never be used
    return GW_UNAVAILABLE;
}

void gw_random_free(gw_random *random) {
    if (random == NULL)
        return;
    gw_wipe(random, sizeof(*random));
    munmap(random, sizeof(*random));
}

static void random_refill(gw_random *random) {
    uint8_t key[GW_STREAM_KEY_SIZE];
    memcpy(key, random->block.next_key, sizeof(key));
    // The nonce may stay 0: every key is used for one run.
    gw_chacha20_stream(key, 0, &random->block, sizeof(random->block));
    gw_wipe(key, sizeof(key));
    random->used = 0;
}

static gw_status random_fill(void *state, void *bytes, size_t count) {
    gw_random *random = state;
    if (!random->is_live || (random->is_pinned && random->owner != getpid()))
        return GW_UNAVAILABLE;
    uint8_t *rest = bytes;
    while (count != 0) {
        if (random->used == BLOCK_SIZE)
            random_refill(random);
        size_t size = BLOCK_SIZE - random->used < count ? BLOCK_SIZE - random->used : count;
        memcpy(rest, random->block.bytes + random->used, size);
        memset(random->block.bytes + random->used, 0, size);
        random->used += size;
        rest += size;
        count -= size;
    }
    return GW_OK;
}

gw_random_source gw_random_as_source(gw_random *random) {
    return (gw_random_source){.fill = random_fill, .state = random};
}
