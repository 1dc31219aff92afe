// SPDX-License-Identifier: MIT
/*
 * A module that runs what its parameter names when it is loaded, and says in the log how it came out; it
 * stays loaded only to be unloaded.
 *
 *   run=dma           the cases of DMA, behind an IOMMU
 *   run=control       what they are about, without one
 *   run=stress        real threads on the simulated machine
 *   run=stress-real   the same on the real one, behind an IOMMU
 *   run=user          nothing by itself: a device for the guest's program (user.h), until it is unloaded
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "cases.h"
#include "device.h"
#include "threads.h"

#include "host/linux/linux.h"

static char *run = "dma";
module_param(run, charp, 0444);
MODULE_PARM_DESC(run, "dma, control, stress, stress-real or user");

static unsigned int rounds = 400;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "of each thread in each scene of the stress");

#define DEVICES 3

struct tally {
	unsigned int cases, failed;
};

static void count(struct tally *tally, const struct world *world)
{
	tally->cases++;
	if (world->failures)
		tally->failed++;
	else
		pr_info("test: ok %s\n", world->name);
}

static void run_case(struct world *world, const struct dma_case *this, struct edu *edu)
{
	const struct given *given = &this->given;
	struct thing thing = {};
	bool ready = world_begin(world, this->name, edu, this->kind);

	if (ready && given->object)
		ready = thing_create(world, given->object(given->pages), &thing);
	if (ready && given->adl_pages)
		ready = expect(world, NT_SUCCESS(thing_adl(world, &thing, given->adl_first, given->adl_pages,
							   given->contiguous)));
	if (ready)
		this->run(world, &thing);
	thing_destroy(world, &thing);
	world_end(world);
}

static struct tally run_dma(struct world *world, struct edu *edu)
{
	static const struct dma_group *const groups[] = { &arrive_group, &blocked_group, &shared_group,
							  &held_group, &machine_group };
	struct tally tally = {};
	unsigned int group, i;

	for (group = 0; group < ARRAY_SIZE(groups); group++)
		for (i = 0; i < groups[group]->count; i++) {
			run_case(world, &groups[group]->cases[i], edu);
			count(&tally, world);
		}
	return tally;
}

static struct tally run_control(struct world *world, struct edu *edu)
{
	struct tally tally = {};

	control_case(world, edu);
	count(&tally, world);
	return tally;
}

/* The device of user.h needs these until the module goes. */
static struct edu edu[DEVICES];
static int found;
static struct world *world;

static void forget_devices(void)
{
	if (found >= 0)
		edu_release(edu, found);
	kfree(world);
}

static int run_with_devices(struct tally *tally)
{
	int error = 0;

	world = kzalloc(sizeof(*world), GFP_KERNEL);
	if (!world)
		return -ENOMEM;
	found = edu_find(edu, DEVICES);
	if (found != DEVICES)
		error = found < 0 ? found : -ENODEV;
	else if (!strcmp(run, "dma"))
		*tally = run_dma(world, edu);
	else if (!strcmp(run, "control"))
		*tally = run_control(world, edu);
	else if (!strcmp(run, "user"))
		error = device_begin(world, edu);
	else
		tally->failed = stress_real(rounds, edu, DEVICES, &tally->cases);
	if (error || strcmp(run, "user"))
		forget_devices();
	return error;
}

static void say(const struct tally *tally)
{
	pr_info("test: done: %u cases, %u failed\n", tally->cases, tally->failed);
}

static int __init test_init(void)
{
	static const char *const with_devices[] = { "dma", "control", "stress-real", "user" };
	struct tally tally = {};
	int error = 0;

	dxgkmem_linux_init();
	if (!strcmp(run, "stress"))
		tally.failed = stress_sim(rounds, &tally.cases);
	else if (match_string(with_devices, ARRAY_SIZE(with_devices), run) >= 0)
		error = run_with_devices(&tally);
	else
		error = -EINVAL;
	if (!error && !strcmp(run, "user"))
		return 0;
	dxgkmem_linux_exit();
	if (!error)
		say(&tally);
	return error;
}

static void __exit test_exit(void)
{
	struct tally tally = {};

	if (strcmp(run, "user"))
		return;
	device_end();
	count(&tally, world);
	forget_devices();
	dxgkmem_linux_exit();
	say(&tally);
}

module_init(test_init);
module_exit(test_exit);
MODULE_DESCRIPTION("Tests of dxgkmem's core and of its real machine, inside the kernel");
MODULE_LICENSE("Dual MIT/GPL");
