/* SPDX-License-Identifier: MIT */
/*
 * The bytes of pages. Storage is found when a page is first written, in the host's
 * pool or in the config's windows; a page without storage reads as zero.
 */
#ifndef DXGKMEM_SIM_CONTENTS_H
#define DXGKMEM_SIM_CONTENTS_H

#include <dxgkmem/sim.h>

struct sim_buffer;

struct sim_contents {
    struct dxgkmem_lock lock;
    struct sim_buffer *ended; /* storage of pages that are zero again; its bytes are not zero */
    unsigned ended_count;
};

struct sim_chunk;

void sim_contents_init(struct dxgkmem_sim *sim);
/* Every page of the chunk is zero again. */
void sim_contents_forget_chunk(struct dxgkmem_sim *sim, struct sim_chunk *chunk);
/* Hands storage beyond `keep` pages back to the host. */
void sim_contents_trim(struct dxgkmem_sim *sim, unsigned keep);

/* Finds storage for the page, so that writing cannot fail. False: there is no memory. */
bool sim_contents_make(struct dxgkmem_sim *sim, uint64_t page);
/* Makes the page zero. True when it had storage. */
bool sim_contents_zero(struct dxgkmem_sim *sim, struct sim_chunk *chunk, uint64_t page);
/* Within one page; storage exists for what is written. */
void sim_contents_read(struct dxgkmem_sim *sim, uint64_t page, unsigned offset, void *to, unsigned bytes);
void sim_contents_write(struct dxgkmem_sim *sim, uint64_t page, unsigned offset, const void *from,
                        unsigned bytes);

#endif
