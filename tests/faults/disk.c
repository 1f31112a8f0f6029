// SPDX-License-Identifier: Apache-2.0
// Files by number, names that point to them. A change waits with its file, or with its folder, until a sync of that.
#include "tests/faults/disk.h"
#include "service/base/check.h"
#include "tests/faults/script.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 1024
#define DESCRIPTORS 4096
#define SECTOR 512u
#define FOLDER (-1)

typedef struct {
    shim_event event;
    const uint8_t *bytes; // in the record
} change;

typedef struct {
    uint8_t *bytes; // durable
    size_t size;
    change *waiting;
    size_t count, capacity;
} file;

typedef struct {
    char path[200]; // below the folder, with its slash
    int file;       // FOLDER: it is one
} name;

typedef struct {
    uint32_t kind; // OPEN: made
    name from;
    char to[200];
} name_change;

struct disk {
    char folder[112];
    file files[FILES_MAX];
    int file_count;
    name durable[FILES_MAX], now[FILES_MAX];
    size_t durable_count, now_count;
    name_change waiting[FILES_MAX * 4];
    size_t waiting_count;
    int descriptors[DESCRIPTORS];            // file, or FOLDER
    char descriptor_paths[DESCRIPTORS][200]; // of folders
};

// ---- names

static name *name_find(name *names, size_t count, const char *path) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i].path, path) == 0)
            return &names[i];
    return NULL;
}

static void name_set(name *names, size_t *count, const char *path, int number) {
    name *there = name_find(names, *count, path);
    if (there == NULL) {
        GW_ASSERT(*count < FILES_MAX);
        there = &names[(*count)++];
        snprintf(there->path, sizeof(there->path), "%s", path);
    }
    there->file = number;
}

static void name_drop(name *names, size_t *count, const char *path) {
    name *there = name_find(names, *count, path);
    if (there != NULL)
        *there = names[--*count];
}

// A change that needs another which the disk has lost is lost with it.
static void name_apply(name *names, size_t *count, const name_change *one) {
    if (one->kind == SHIM_EVENT_UNLINK || one->kind == SHIM_EVENT_RENAME)
        name_drop(names, count, one->from.path);
    if (one->kind == SHIM_EVENT_OPEN || one->kind == SHIM_EVENT_FOLDER)
        name_set(names, count, one->from.path, one->from.file);
    if (one->kind == SHIM_EVENT_RENAME || one->kind == SHIM_EVENT_LINK)
        name_set(names, count, one->to, one->from.file);
}

static void name_changed(disk *all, uint32_t kind, const char *path, const char *to, int number) {
    GW_ASSERT(all->waiting_count < sizeof(all->waiting) / sizeof(all->waiting[0]));
    name_change *one = &all->waiting[all->waiting_count++];
    *one = (name_change){.kind = kind, .from.file = number};
    snprintf(one->from.path, sizeof(one->from.path), "%s", path);
    snprintf(one->to, sizeof(one->to), "%s", to);
    name_apply(all->now, &all->now_count, one);
}

static bool is_in_folder(const char *path, const char *folder) {
    size_t size = strlen(folder);
    return strncmp(path, folder, size) == 0 && path[size] == '/' && strchr(path + size + 1, '/') == NULL;
}

static void folder_sync(disk *all, const char *folder) {
    size_t kept = 0;
    for (size_t i = 0; i < all->waiting_count; i++) {
        const name_change *one = &all->waiting[i];
        const char *path = one->kind == SHIM_EVENT_RENAME ? one->to : one->from.path;
        if (is_in_folder(path, folder))
            name_apply(all->durable, &all->durable_count, one);
        else
            all->waiting[kept++] = *one;
    }
    all->waiting_count = kept;
}

// ---- files

static int file_new(disk *all) {
    GW_ASSERT(all->file_count < FILES_MAX);
    return all->file_count++;
}

static void bytes_resize(uint8_t **bytes, size_t *size, size_t wanted, uint8_t fill) {
    if (wanted > *size) {
        *bytes = realloc(*bytes, wanted);
        GW_ASSERT(*bytes != NULL);
        memset(*bytes + *size, fill, wanted - *size);
    }
    *size = wanted;
}

static void bytes_apply(uint8_t **bytes, size_t *size, const change *one) {
    size_t offset = (size_t)one->event.offset, count = (size_t)one->event.size;
    if (one->event.kind == SHIM_EVENT_TRUNCATE) {
        bytes_resize(bytes, size, offset, 0);
        return;
    }
    if (offset + count > *size)
        bytes_resize(bytes, size, offset + count, 0);
    memcpy(*bytes + offset, one->bytes, count);
}

static void file_changed(file *one, const change *what) {
    if (one->count == one->capacity) {
        one->capacity = one->capacity == 0 ? 64 : one->capacity * 2;
        one->waiting = reallocarray(one->waiting, one->capacity, sizeof(one->waiting[0]));
        GW_ASSERT(one->waiting != NULL);
    }
    one->waiting[one->count++] = *what;
}

static void file_sync(file *one) {
    for (size_t i = 0; i < one->count; i++)
        bytes_apply(&one->bytes, &one->size, &one->waiting[i]);
    one->count = 0;
}

// ---- the record

static const char *below(const disk *all, const char *path) {
    size_t size = strlen(all->folder);
    GW_ASSERT(strncmp(path, all->folder, size) == 0);
    return path + size;
}

static void opened(disk *all, const change *one) {
    const char *path = below(all, (const char *)one->bytes);
    uint32_t descriptor = one->event.descriptor;
    GW_ASSERT(descriptor < DESCRIPTORS);
    if (one->event.offset == 1)
        name_changed(all, SHIM_EVENT_OPEN, path, "", file_new(all));
    name *there = name_find(all->now, all->now_count, path);
    all->descriptors[descriptor] = there == NULL ? FOLDER : there->file;
    snprintf(all->descriptor_paths[descriptor], sizeof(all->descriptor_paths[0]), "%s", path);
    if (one->event.offset == 2 && there != NULL && there->file != FOLDER) {
        change cut = {.event = {.kind = SHIM_EVENT_TRUNCATE}};
        file_changed(&all->files[there->file], &cut);
    }
}

static void replay_one(disk *all, const change *one) {
    uint32_t descriptor = one->event.descriptor;
    const char *path = (const char *)one->bytes;
    int number = descriptor < DESCRIPTORS ? all->descriptors[descriptor] : FOLDER;
    switch ((shim_event_kind)one->event.kind) {
    case SHIM_EVENT_OPEN:
        opened(all, one);
        break;
    case SHIM_EVENT_WRITE:
    case SHIM_EVENT_TRUNCATE:
        if (number != FOLDER)
            file_changed(&all->files[number], one);
        break;
    case SHIM_EVENT_SYNC:
        if (number != FOLDER)
            file_sync(&all->files[number]);
        else
            folder_sync(all, all->descriptor_paths[descriptor]);
        break;
    case SHIM_EVENT_FOLDER:
        name_changed(all, SHIM_EVENT_FOLDER, below(all, path), "", FOLDER);
        break;
    case SHIM_EVENT_RENAME:
    case SHIM_EVENT_LINK:
    case SHIM_EVENT_UNLINK: {
        name *there = name_find(all->now, all->now_count, below(all, path));
        GW_ASSERT(there != NULL);
        const char *to = one->event.kind == SHIM_EVENT_UNLINK ? "" : below(all, path + strlen(path) + 1);
        name_changed(all, one->event.kind, below(all, path), to, there->file);
        break;
    }
    case SHIM_EVENT_CLOSE:
    case SHIM_EVENT_MARK:
        break;
    }
}

size_t disk_events(const shim_record *record) {
    size_t count = 0;
    shim_event event;
    for (uint64_t at = 0; at < record->size; at += sizeof(event) + (event.size + 7) / 8 * 8, count++)
        memcpy(&event, record->bytes + at, sizeof(event));
    return count;
}

uint64_t disk_replay(disk *all, const shim_record *record, size_t count) {
    uint64_t mark = 0, at = 0;
    for (size_t i = 0; i < count && at < record->size; i++) {
        change one;
        memcpy(&one.event, record->bytes + at, sizeof(one.event));
        one.bytes = record->bytes + at + sizeof(one.event);
        if (one.event.kind == SHIM_EVENT_MARK && one.event.offset > mark)
            mark = one.event.offset;
        replay_one(all, &one);
        at += sizeof(one.event) + (one.event.size + 7) / 8 * 8;
    }
    return mark;
}

// ---- what is there at the beginning

static void take_file(disk *all, const char *path, int number) {
    file *one = &all->files[number];
    struct stat facts;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    GW_ASSERT(descriptor >= 0 && fstat(descriptor, &facts) == 0);
    bytes_resize(&one->bytes, &one->size, (size_t)facts.st_size, 0);
    ssize_t count = read(descriptor, one->bytes, one->size);
    GW_ASSERT(count == (ssize_t)one->size);
    close(descriptor);
}

static void take_folder(disk *all, const char *folder) {
    DIR *items = opendir(folder);
    struct dirent *item;
    while (items != NULL && (item = readdir(items)) != NULL) {
        char path[4096];
        struct stat facts;
        snprintf(path, sizeof(path), "%s/%s", folder, item->d_name);
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0 || lstat(path, &facts) != 0)
            continue;
        int number = S_ISDIR(facts.st_mode) ? FOLDER : file_new(all);
        name_set(all->durable, &all->durable_count, below(all, path), number);
        name_set(all->now, &all->now_count, below(all, path), number);
        if (number == FOLDER)
            take_folder(all, path);
        else
            take_file(all, path, number);
    }
    if (items != NULL)
        closedir(items);
}

disk *disk_new(const char *folder) {
    disk *all = calloc(1, sizeof(*all));
    GW_ASSERT(all != NULL);
    snprintf(all->folder, sizeof(all->folder), "%s", folder);
    take_folder(all, folder);
    return all;
}

void disk_rename(disk *all, const char *folder) {
    snprintf(all->folder, sizeof(all->folder), "%s", folder);
}

void disk_free(disk *all) {
    for (int i = 0; i < all->file_count; i++) {
        free(all->files[i].bytes);
        free(all->files[i].waiting);
    }
    free(all);
}

// ---- images

typedef enum { KEEP_NONE, KEEP_ALL, KEEP_PREFIX, KEEP_SECTORS, KEEP_KINDS } keep;

// Of a write the disk has some sectors. What it holds where a lost one lengthened the file is anybody's guess.
static size_t tear(uint8_t **bytes, size_t *size, const change *one, unsigned *random) {
    size_t offset = (size_t)one->event.offset, end = offset + (size_t)one->event.size, lost = 0;
    if (end > *size)
        bytes_resize(bytes, size, end, campaign_random(random, 2) == 0 ? 0 : (uint8_t)campaign_random(random, 256));
    while (offset < end) {
        size_t next = (offset / SECTOR + 1) * SECTOR;
        next = next < end ? next : end;
        if (campaign_random(random, 2) == 0)
            memcpy(*bytes + offset, one->bytes + (offset - (size_t)one->event.offset), next - offset);
        else
            lost = 1;
        offset = next;
    }
    return lost;
}

static size_t file_image(const file *one, keep kind, unsigned *random, uint8_t **ret, size_t *ret_size) {
    uint8_t *bytes = malloc(one->size + 1);
    size_t size = one->size, lost = 0;
    GW_ASSERT(bytes != NULL);
    memcpy(bytes, one->bytes == NULL ? (const uint8_t *)"" : one->bytes, size);
    size_t prefix = kind == KEEP_PREFIX ? campaign_random(random, (unsigned)one->count + 1) : one->count;
    for (size_t i = 0; i < one->count; i++) {
        const change *what = &one->waiting[i];
        bool is_kept = kind == KEEP_ALL || (kind == KEEP_PREFIX && i < prefix);
        bool is_torn = kind == KEEP_SECTORS || (kind == KEEP_PREFIX && i == prefix);
        if (is_torn && what->event.kind == SHIM_EVENT_WRITE)
            lost += tear(&bytes, &size, what, random);
        else if (is_kept || (is_torn && campaign_random(random, 2) == 0))
            bytes_apply(&bytes, &size, what);
        else
            lost++;
    }
    *ret = bytes;
    *ret_size = size;
    return lost;
}

static void parent_of(const name_change *one, char ret[200]) {
    const char *path = one->kind == SHIM_EVENT_RENAME ? one->to : one->from.path;
    snprintf(ret, 200, "%.*s", (int)(strrchr(path, '/') - path), path);
}

// The changes of one folder reach the disk in their order; those of different folders in any.
static size_t names_image(const disk *all, keep kind, unsigned *random, name *names, size_t *ret_count) {
    char(*cut)[200] = calloc(all->waiting_count + 1, sizeof(*cut)); // folders that got no further
    GW_ASSERT(cut != NULL);
    size_t cut_count = 0, lost = 0;
    unsigned odds = kind == KEEP_PREFIX ? 8 : 2;
    memcpy(names, all->durable, sizeof(all->durable));
    *ret_count = all->durable_count;
    for (size_t i = 0; i < all->waiting_count && kind != KEEP_NONE; i++) {
        char parent[200];
        size_t k = 0;
        parent_of(&all->waiting[i], parent);
        while (k < cut_count && strcmp(cut[k], parent) != 0)
            k++;
        if (k == cut_count && kind != KEEP_ALL && campaign_random(random, odds) == 0)
            memcpy(cut[cut_count++], parent, sizeof(parent));
        if (k == cut_count)
            name_apply(names, ret_count, &all->waiting[i]);
        else
            lost++;
    }
    free(cut);
    return kind == KEEP_NONE ? all->waiting_count : lost;
}

static int path_compare(const void *a, const void *b) {
    return strcmp(((const name *)a)->path, ((const name *)b)->path);
}

static bool is_volatile(const char *path) {
    size_t size = strlen(path);
    return size > 4 && strcmp(path + size - 4, "-shm") == 0; // SQLite makes it anew
}

static void file_write(const char *path, const uint8_t *bytes, size_t size) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return; // its folder was lost
    bool is_ballast = strstr(path, "/ballast") != NULL;
    bool is_written =
        is_ballast ? ftruncate(descriptor, (off_t)size) == 0 : write(descriptor, bytes, size) == (ssize_t)size;
    GW_ASSERT(is_written);
    close(descriptor);
}

size_t disk_image(const disk *all, const char *folder, unsigned *random) {
    name *names = calloc(FILES_MAX, sizeof(*names));
    GW_ASSERT(names != NULL);
    size_t count;
    keep files = (keep)campaign_random(random, KEEP_KINDS), folders = (keep)campaign_random(random, KEEP_KINDS);
    size_t lost = names_image(all, folders, random, names, &count);
    qsort(names, count, sizeof(names[0]), path_compare); // a folder before what it holds
    for (size_t i = 0; i < count; i++) {
        char path[400];
        snprintf(path, sizeof(path), "%s%s", folder, names[i].path);
        if (names[i].file == FOLDER) {
            mkdir(path, 0755);
        } else if (!is_volatile(path)) {
            uint8_t *bytes;
            size_t size;
            lost += file_image(&all->files[names[i].file], files, random, &bytes, &size);
            file_write(path, bytes, size);
            free(bytes);
        }
    }
    free(names);
    return lost;
}
