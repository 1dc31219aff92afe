// SPDX-License-Identifier: MIT
/*
 * The services of host.h for a Linux module.
 *
 * A lock is one bit of its word, waited for with wait_on_bit_lock(): it takes
 * one word whatever the kernel is configured for, and cannot fail. To lockdep
 * all locks of one rank are one class, and ranks are told apart: lockdep then
 * checks the documented order and not an order that happened to be seen.
 */
#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/kthread.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait_bit.h>

#include "linux.h"
#include "../splitmix.h"

/* pool */

static atomic64_t refusals;
static atomic64_t blocks;

void *dxgkmem_host_alloc(size_t bytes)
{
	/* __GFP_ZERO would clear up to the next power of two, too. */
	void *memory = kvmalloc(bytes, GFP_KERNEL | __GFP_NOWARN);

	if (memory) {
		memset(memory, 0, bytes);
		atomic64_inc(&blocks);
	} else {
		atomic64_inc(&refusals);
	}
	return memory;
}

void dxgkmem_host_free(void *memory, size_t bytes)
{
	if (memory)
		atomic64_dec(&blocks);
	kvfree(memory);
}

uint64_t dxgkmem_linux_refusals(void)
{
	return (uint64_t)atomic64_read(&refusals);
}

void dxgkmem_linux_exit(void)
{
	WARN(atomic64_read(&blocks), "dxgkmem: %lld blocks of the pool are left\n",
	     atomic64_read(&blocks));
}

/* locks */

#define LOCKED 0 /* the bit of the word */

#ifdef CONFIG_DEBUG_LOCK_ALLOC
#define RANKS 16

static struct lock_class_key rank_key[RANKS];
static struct lockdep_map rank_map[RANKS];
static const char *const rank_name[RANKS] = {
	"dxgkmem_rank_0",  "dxgkmem_rank_1",  "dxgkmem_rank_2",	 "dxgkmem_rank_3",
	"dxgkmem_rank_4",  "dxgkmem_rank_5",  "dxgkmem_rank_6",	 "dxgkmem_rank_7",
	"dxgkmem_rank_8",  "dxgkmem_rank_9",  "dxgkmem_rank_10", "dxgkmem_rank_11",
	"dxgkmem_rank_12", "dxgkmem_rank_13", "dxgkmem_rank_14", "dxgkmem_rank_15",
};

static void ranks_init(void)
{
	unsigned int rank;

	for (rank = 0; rank < RANKS; rank++)
		lockdep_init_map(&rank_map[rank], rank_name[rank], &rank_key[rank], 0);
}

static void rank_acquire(struct dxgkmem_lock *lock, unsigned int rank)
{
	lock_map_acquire(&rank_map[rank % RANKS]);
	/* Only its holder looks at the word's upper bits. */
	lock->word[0] |= (uintptr_t)rank << 8;
}

static void rank_release(struct dxgkmem_lock *lock)
{
	lock_map_release(&rank_map[(lock->word[0] >> 8) % RANKS]);
	lock->word[0] &= 0xff;
}
#else
static void ranks_init(void)
{
}

static void rank_acquire(struct dxgkmem_lock *lock, unsigned int rank)
{
}

static void rank_release(struct dxgkmem_lock *lock)
{
}
#endif

static unsigned long *word_of(struct dxgkmem_lock *lock)
{
	BUILD_BUG_ON(sizeof(lock->word[0]) != sizeof(unsigned long));
	return (unsigned long *)lock->word;
}

void dxgkmem_host_lock_init(struct dxgkmem_lock *lock)
{
	lock->word[0] = 0;
}

void dxgkmem_host_lock_destroy(struct dxgkmem_lock *lock)
{
	if (test_bit(LOCKED, word_of(lock)))
		dxgkmem_host_panic(__FILE__, __LINE__, "a lock was destroyed while it was held");
}

void dxgkmem_host_lock_acquire(struct dxgkmem_lock *lock, unsigned int rank)
{
	wait_on_bit_lock(word_of(lock), LOCKED, TASK_UNINTERRUPTIBLE);
	rank_acquire(lock, rank);
}

void dxgkmem_host_lock_release(struct dxgkmem_lock *lock)
{
	if (!test_bit(LOCKED, word_of(lock)))
		dxgkmem_host_panic(__FILE__, __LINE__, "a lock was released that nobody holds");
	rank_release(lock);
	clear_and_wake_up_bit(LOCKED, word_of(lock));
}

/* what programs need to be the same in every run */

static bool seeded;
static struct splitmix seed_state;

void dxgkmem_linux_seed(uint64_t seed)
{
	seed_state.state = seed;
	/* Whoever sees the flag sees the state. */
	smp_store_release(&seeded, true);
}

/* Programs run one at a time: with a seed, on one shard whatever task runs them. */
unsigned int dxgkmem_host_shard(void)
{
	return READ_ONCE(seeded) ? 0 : (unsigned int)task_pid_nr(current);
}

uint64_t dxgkmem_host_random(void)
{
	/* Pairs with dxgkmem_linux_seed(). */
	return smp_load_acquire(&seeded) ? splitmix64(&seed_state) : get_random_u64();
}

/* the end */

static DEFINE_SPINLOCK(stop_lock);
static struct dxgkmem_linux_stop stop_record;
static bool stopped;

bool dxgkmem_linux_stopped(struct dxgkmem_linux_stop *stop)
{
	/* Pairs with record_stop(). */
	bool was = smp_load_acquire(&stopped);

	if (was && stop)
		*stop = stop_record;
	return was;
}

static void record_stop(uint32_t code, const uint64_t parameters[4])
{
	unsigned long flags;

	spin_lock_irqsave(&stop_lock, flags);
	if (!stopped) {
		stop_record.code = code;
		memcpy(stop_record.parameters, parameters, sizeof(stop_record.parameters));
		/* Whoever sees the flag sees the record. */
		smp_store_release(&stopped, true);
	}
	spin_unlock_irqrestore(&stop_lock, flags);
}

/*
 * What ends is the thread, and from then on the driver refuses everything: the
 * rest of this kernel does not depend on these callbacks. A kernel thread ends
 * quietly. Another task can only be ended by an oops, which noreturn.h does.
 */
void dxgkmem_linux_bug_check(uint32_t code, const uint64_t parameters[4])
{
	record_stop(code, parameters);
	pr_emerg("dxgkmem: bug check 0x%x: 0x%llx 0x%llx 0x%llx 0x%llx\n", code, parameters[0],
		 parameters[1], parameters[2], parameters[3]);
	if (in_task() && (current->flags & PF_KTHREAD))
		kthread_complete_and_exit(NULL, -ESHUTDOWN);
}

void dxgkmem_linux_panic(const char *file, int line, const char *what)
{
	static const uint64_t none[4];

	record_stop(0, none);
	pr_emerg("dxgkmem: %s:%d: %s\n", file, line, what);
}

void dxgkmem_linux_init(void)
{
	ranks_init();
}
