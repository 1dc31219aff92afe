/* SPDX-License-Identifier: MIT */
/*
 * A plain implementation of the callbacks, as one would first write it: one mutex, linked lists, handles that are
 * pointers to records, and checks where the documentation asks for them. It runs on the simulated machine.
 *
 * It shares nothing with src/core. The harness runs it as a second opinion on the model; what it leaves
 * out is declared in its profile (provider.c).
 */
#ifndef PLAIN_H
#define PLAIN_H

#include <dxgkmem/provider.h>

#include <pthread.h>
#include <sys/queue.h>

/* A logical adapter: what linked adapters share. */
struct plain_chain {
    struct dxgkmem_domain *domain;
    bool remapped;
    uint32_t version;
    uint64_t highest_visible;
    unsigned present, indices; /* adapters in it now, and indices given out so far */
};

struct plain_adapter {
    LIST_ENTRY(plain_adapter) next;
    struct plain_chain *chain;
    uint64_t device;
    unsigned index;
    uint64_t frame_buffer_bytes;
    struct plain_adl *saved;     /* of the pinned frame buffer, or NULL */
    struct dxgkmem_memory *save; /* where it is saved, from the first pin on; or NULL */
};

struct plain_object {
    LIST_ENTRY(plain_object) next;
    DXGK_PHYSICAL_MEMORY_TYPE type;
    uint64_t pages;
    uint64_t io_page; /* I/O space: where it begins */
    unsigned access;  /* of CPU mappings */
    struct dxgkmem_memory *memory;
    struct plain_open *open; /* NULL: not open */
};

/* An adapter memory object: an object open on a logical adapter. */
struct plain_open {
    LIST_ENTRY(plain_open) next;
    struct plain_object *object;
    struct plain_chain *chain;
};

struct plain_adl {
    DXGK_ADL handed_out; /* the driver has its address */
    LIST_ENTRY(plain_adl) next;
    struct plain_open *open; /* NULL: of a frame buffer */
    struct plain_chain *chain;
    struct dxgkmem_memory *memory;
    uint64_t first;   /* page of the memory */
    uint64_t logical; /* first logical page, when remapped */
};

struct plain_mapping {
    LIST_ENTRY(plain_mapping) next;
    struct plain_object *object;
    void *base;
    uint64_t pages;
    SIZE_T size;      /* as asked */
    uint64_t process; /* 0: the kernel's */
};

struct plain {
    pthread_mutex_t lock;
    struct dxgkmem_machine *machine; /* NULL: not started */
    LIST_HEAD(, plain_adapter) adapters;
    LIST_HEAD(, plain_object) objects;
    LIST_HEAD(, plain_open) opens;
    LIST_HEAD(, plain_adl) adls;
    LIST_HEAD(, plain_mapping) mappings;
};
extern struct plain plain;

#define OPS (plain.machine->ops)

/* provider.c */
void *plain_alloc(size_t bytes); /* zeroed; NULL: no memory */

/* adapters.c */
struct plain_adapter *plain_find_adapter(HANDLE handle);
bool plain_sees(const struct plain_chain *chain, uint64_t first, uint64_t pages);
NTSTATUS plain_add_adapter(const struct dxgkmem_adapter_config *config, HANDLE *handle);
NTSTATUS plain_remove_adapter(HANDLE handle);
void plain_remove(struct plain_adapter *adapter);
NTSTATUS APIENTRY CALLBACK plain_pin(HANDLE handle, DXGKARGCB_PINFRAMEBUFFERFORSAVE2 *args);
NTSTATUS APIENTRY CALLBACK plain_unpin(HANDLE handle, const DXGKARGCB_UNPINFRAMEBUFFERFORSAVE *args);

/* create.c */
NTSTATUS APIENTRY CALLBACK plain_create(DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *args);

/* objects.c */
struct plain_object *plain_find_object(HANDLE handle);
struct plain_open *plain_find_open(HANDLE handle);
struct plain_open *plain_open_on(struct plain_object *object, struct plain_chain *chain);
void plain_close_open(struct plain_open *open); /* with its ADLs */
void plain_end_object(struct plain_object *object);
NTSTATUS APIENTRY CALLBACK plain_open_object(DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT *args);
void APIENTRY CALLBACK plain_close(const DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT *args);
void APIENTRY CALLBACK plain_destroy(const DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT *args);

/* mappings.c */
void plain_unmap_one(struct plain_mapping *mapping);
void plain_process_exit(uint64_t process);
NTSTATUS APIENTRY CALLBACK plain_map(DXGKARGCB_MAP_PHYSICAL_MEMORY *args);
void APIENTRY CALLBACK plain_unmap(const DXGKARGCB_UNMAP_PHYSICAL_MEMORY *args);

/* adls.c */
NTSTATUS plain_make_adl(struct plain_chain *chain, struct dxgkmem_memory *memory, uint64_t first,
                        uint64_t pages, struct plain_adl **made);
void plain_free_one(struct plain_adl *adl);
NTSTATUS APIENTRY CALLBACK plain_allocate_adl(DXGKARGCB_ALLOCATE_ADL *args);
void APIENTRY CALLBACK plain_free_adl(const DXGKARGCB_FREE_ADL *args);

#endif
