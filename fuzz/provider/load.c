/* SPDX-License-Identifier: MIT */
/* Implements load.h. */
#include "provider/load.h"

#include "model/profile.h"
#include "program/runner.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef const struct dxgkmem_provider *entry_function(void);

#pragma weak dxgkmem_provider /* there is one when the sources of a provider are linked in */

static bool is_wrong(char *wrong, size_t room, const char *text)
{
    snprintf(wrong, room, "%s", text);
    return false;
}

/* -- the table ------------------------------------------------------------------------ */

static bool has_required(const struct dxgkmem_provider *provider, char *wrong, size_t room)
{
    const struct {
        const char *name;
        bool there;
    } required[] = {
        {"name", provider->name != NULL},
        {"create", provider->create != NULL},
        {"destroy", provider->destroy != NULL},
        {"start", provider->start != NULL},
        {"stop", provider->stop != NULL},
        {"add_adapter", provider->add_adapter != NULL},
        {"query_interface", provider->query_interface != NULL},
    };

    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++)
        if (!required[i].there) {
            snprintf(wrong, room, "its table has no %s", required[i].name);
            return false;
        }
    return true;
}

/* Members that are of use together only. */
static bool has_pairs(const struct dxgkmem_provider *provider, char *wrong, size_t room)
{
    bool failing = provider->fail_at != NULL;

    if ((provider->fail_then != NULL) != failing || (provider->fallible_calls != NULL) != failing ||
        (provider->fault_fired != NULL) != failing)
        return is_wrong(wrong, room,
                        "its table has some of fail_at, fail_then, fallible_calls and fault_fired, not all");
    if ((provider->cpu_read == NULL) != (provider->cpu_write == NULL))
        return is_wrong(wrong, room, "its table has one of cpu_read and cpu_write, not both");
    return true;
}

static bool has_sound_profile(const struct dxgkmem_profile *profile, char *wrong, size_t room)
{
    const char *sentence = profile_wrong_choice(profile);

    if (sentence != NULL) {
        snprintf(wrong, room, "its profile: %s", sentence);
        return false;
    }
    for (unsigned i = 0; i < profile->rules; i++) {
        const struct dxgkmem_profile_rule *rule = &profile->rule[i];

        sentence = profile_wrong_rule(profile, i);
        if (sentence == NULL)
            continue;
        if ((unsigned)rule->call >= DXGKMEM_CALL_COUNT || (unsigned)rule->mistake >= DXGKMEM_VIOLATION_COUNT)
            snprintf(wrong, room, "its profile, rule %u: %s", i + 1, sentence);
        else
            snprintf(wrong, room, "its profile, rule %u (%s in %s): %s", i + 1,
                     rule->mistake != 0 ? dxgkmem_violation_name(rule->mistake) : "every mistake",
                     rule->call != 0 ? dxgkmem_call_name(rule->call) : "every call", sentence);
        return false;
    }
    return true;
}

bool provider_sound(const struct dxgkmem_provider *provider, char *wrong, size_t room)
{
    if (provider == NULL)
        return is_wrong(wrong, room, "dxgkmem_provider() returned NULL");
    if (provider->version != DXGKMEM_PROVIDER_VERSION) {
        snprintf(wrong, room, "its table has version %" PRIu32 ", this harness takes version %u",
                 provider->version, DXGKMEM_PROVIDER_VERSION);
        return false;
    }
    if (provider->size != sizeof *provider) {
        snprintf(wrong, room, "its table has %" PRIu32 " bytes, that of version %u has %zu", provider->size,
                 DXGKMEM_PROVIDER_VERSION, sizeof *provider);
        return false;
    }
    return has_required(provider, wrong, room) && has_pairs(provider, wrong, room) &&
           (provider->profile == NULL || has_sound_profile(provider->profile, wrong, room));
}

const struct dxgkmem_provider *provider_linked(char *wrong, size_t room)
{
    entry_function *const entry = dxgkmem_provider;
    const struct dxgkmem_provider *provider;

    *wrong = '\0';
    if (entry == NULL)
        return NULL;
    provider = entry();
    return provider_sound(provider, wrong, room) ? provider : NULL;
}

/* -- the object ------------------------------------------------------------------------ */

const struct dxgkmem_provider *provider_load(const char *path, char *wrong, size_t room)
{
    union {
        void *symbol;
        entry_function *function;
    } entry;
    const struct dxgkmem_provider *provider;
    /* without a slash it would be looked for where libraries are */
    char here[4096];
    void *object;

    snprintf(here, sizeof here, "%s%s", strchr(path, '/') != NULL ? "" : "./", path);
    object = dlopen(here, RTLD_NOW | RTLD_LOCAL);
    if (object == NULL) {
        const char *text = dlerror();
        size_t prefix = strlen(here);

        if (strncmp(text, here, prefix) == 0 && strncmp(text + prefix, ": ", 2) == 0)
            text += prefix + 2;
        snprintf(wrong, room, "cannot be loaded: %s", text);
        return NULL;
    }
    entry.symbol = dlsym(object, "dxgkmem_provider");
    if (entry.symbol == NULL) {
        is_wrong(wrong, room, "it has no function dxgkmem_provider");
        return NULL;
    }
    provider = entry.function();
    return provider_sound(provider, wrong, room) ? provider : NULL;
}
