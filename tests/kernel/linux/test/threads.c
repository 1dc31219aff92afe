// SPDX-License-Identifier: MIT
/*
 * Implements threads.h.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "threads.h"

#include "machine/linux/machine.h"
#include "tests/stress/stress.h"
#include "tests/support/arguments.h"

/* a host for scenes */

struct thread {
	struct completion ended;
	stress_body *body;
	void *argument;
	unsigned int index;
};

static int thread_main(void *argument)
{
	struct thread *thread = argument;

	thread->body(thread->argument, thread->index);
	/* Nothing of the module runs in the thread when it has been waited for. */
	kthread_complete_and_exit(&thread->ended, 0);
}

static bool run_threads(stress_body *body, void *argument)
{
	struct thread thread[STRESS_THREADS];
	struct task_struct *task[STRESS_THREADS];
	unsigned int i;

	for (i = 0; i < STRESS_THREADS; i++) {
		thread[i] = (struct thread){ .body = body, .argument = argument, .index = i };
		init_completion(&thread[i].ended);
		task[i] = kthread_create(thread_main, &thread[i], "dxgkmem_stress/%u", i);
		if (IS_ERR(task[i])) {
			while (i--)
				kthread_stop(task[i]); /* it never began */
			return false;
		}
	}
	for (i = 0; i < STRESS_THREADS; i++)
		wake_up_process(task[i]);
	for (i = 0; i < STRESS_THREADS; i++)
		wait_for_completion(&thread[i].ended);
	return true;
}

static void let_others_run(void)
{
	usleep_range(20, 50); /* yield() would hand the processor to others that wait */
}

static void failed(const char *scene, int line, const char *what)
{
	pr_err("test: FAIL %s: tests/stress/stress.c:%d: %s\n", scene, line, what);
}

static const struct stress_host stress_host = { run_threads, let_others_run, failed };

/* all scenes on one machine */

static unsigned int run_scenes(const struct stress_world *world, unsigned int *scenes)
{
	unsigned int failures = 0, i;

	for (i = 0; i < stress_scene_count; i++) {
		struct stress_result result = stress_run(&stress_scenes[i], world);

		if (result.failures)
			failures++;
		else
			pr_info("test: ok %s: %llu calls, %llu violations\n", stress_scenes[i].name,
				result.calls, result.violations);
	}
	*scenes = stress_scene_count;
	return failures;
}

unsigned int stress_sim(unsigned int rounds, unsigned int *scenes)
{
	struct dxgkmem_sim_config config = sim_config(0);
	struct stress_world world = {
		.host = &stress_host,
		.device = { 0, 1, 2 },
		.io_page = IO_PAGE,
		.rounds = rounds,
	};
	unsigned int failures;
	struct dxgkmem_sim *sim;

	*scenes = 1;
	if (!NT_SUCCESS(dxgkmem_sim_create(&config, &sim)))
		return 1;
	world.machine = dxgkmem_sim_machine(sim);
	failures = run_scenes(&world, scenes);
	if (dxgkmem_sim_free_pages(sim) != RAM_PAGES || dxgkmem_sim_complaint(sim)) {
		failed("all scenes", __LINE__, "the simulated machine is as it was");
		failures++;
	}
	dxgkmem_sim_destroy(sim);
	return failures;
}

unsigned int stress_real(unsigned int rounds, struct edu *edu, unsigned int devices, unsigned int *scenes)
{
	struct stress_world world = {
		.host = &stress_host,
		.machine = dxgkmem_linux_machine_create(),
		.io_page = PHYS_PFN(pci_resource_start(edu[0].pci, 0)),
		.rounds = rounds,
	};
	unsigned int failures = 1, claimed = 0;

	*scenes = 1;
	if (!world.machine)
		return failures;
	while (claimed < devices &&
	       !dxgkmem_linux_claim_device(world.machine, &edu[claimed].pci->dev, &world.device[claimed]))
		claimed++;
	if (claimed == devices)
		failures = run_scenes(&world, scenes);
	else
		failed("all scenes", __LINE__, "every device can be claimed");
	while (claimed)
		dxgkmem_linux_release_device(world.machine, world.device[--claimed]);
	dxgkmem_linux_machine_destroy(world.machine);
	return failures;
}
