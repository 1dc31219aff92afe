// SPDX-License-Identifier: MIT
/*
 * One bug a sanitizer, made when the module is loaded. Lockdep comes first: it
 * turns itself off once anything was reported.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spin);

static noinline void lock_inversion(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static noinline void sleep_under_spinlock(void)
{
	spin_lock(&spin);
	might_sleep();
	spin_unlock(&spin);
}

static noinline int bad_shift(int by)
{
	OPTIMIZER_HIDE_VAR(by);
	return 1 << by;
}

static noinline int use_after_free(void)
{
	int *memory = kzalloc(64, GFP_KERNEL);

	if (!memory)
		return 0;
	kfree(memory);
	OPTIMIZER_HIDE_VAR(memory);
	return READ_ONCE(*memory);
}

static int __init selftest_init(void)
{
	lock_inversion();
	sleep_under_spinlock();
	pr_info("selftest: made: %d %d\n", bad_shift(40), use_after_free());
	return 0;
}

static void __exit selftest_exit(void)
{
}

module_init(selftest_init);
module_exit(selftest_exit);
MODULE_DESCRIPTION("Bugs made on purpose");
MODULE_LICENSE("Dual MIT/GPL");
