/* A CUDA driver that has no card: it says that it has an H100, gives out memory of the host, takes kernels and runs
 * none. What lies behind the driver's interface can be rehearsed with it: loading, memory, which kernels are compiled
 * and whether they compile, how many launches a batch takes. Numbers that come back mean nothing, nor do times: a
 * launch takes as long as any other.
 *
 *     cc -O2 -shared -fPIC -o libcuda.so driver.c
 *     LD_LIBRARY_PATH=. PRETEND_OUT=FOLDER secondpass ... --device cuda
 *
 * PRETEND_MEMORY (bytes), PRETEND_VERSION (12040 is CUDA 12.4) and PRETEND_CARDS make it another machine. In FOLDER
 * come N.ptx, each module as it was loaded, and launches.tsv: a line for each launch (number of the module, kernel,
 * grid, block, dynamic shared memory) and for each synchronization (`sync`).
 *
 * Types are those of cuda.h, of which it needs little: handles are pointers, results and enumerations ints. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_SUPPORTED = 801 };

/* A number from the environment. */
static uint64_t asked(const char *name, uint64_t usual) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : usual;
}

/* Somewhat less than the card's 80 GiB, of which the driver keeps some. */
#define TOTAL asked("PRETEND_MEMORY", 85000000000)

/* What any kernel takes by the events' clock: of two ways that are tuned, the one with fewer launches is the faster. */
#define LAUNCH_MS 0.01f

struct module {
    int number;
};
struct function {
    struct module *module;
    char name[];
};
struct event {
    uint64_t at;
};
struct block {
    void *at;
    size_t size;
    struct block *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct block *blocks;
static size_t held;
static int modules;
static uint64_t launched;
static FILE *launches;

static const char *out(void) { return getenv("PRETEND_OUT"); }

static void note(const char *line) {
    if (!out())
        return;
    if (!launches) {
        char path[4096];
        snprintf(path, sizeof path, "%s/launches.tsv", out());
        launches = fopen(path, "a");
        if (!launches)
            return;
    }
    fputs(line, launches);
    fflush(launches);
}

static void synced(void) {
    pthread_mutex_lock(&lock);
    note("sync\n");
    pthread_mutex_unlock(&lock);
}

/* --- the driver and the card ------------------------------------------------------------------------------- */

int cuInit(unsigned flags) {
    (void)flags;
    return SUCCESS;
}
int cuDriverGetVersion(int *version) {
    *version = (int)asked("PRETEND_VERSION", 13000);
    return SUCCESS;
}
int cuDeviceGetCount(int *count) {
    *count = (int)asked("PRETEND_CARDS", 1);
    return SUCCESS;
}
int cuDeviceGet(int *device, int ordinal) {
    *device = ordinal;
    return ordinal == 0 ? SUCCESS : 101;
}
int cuDeviceGetName(char *name, int size, int device) {
    (void)device;
    snprintf(name, (size_t)size, "NVIDIA H100 80GB HBM3 (pretended)");
    return SUCCESS;
}
int cuDeviceGetUuid_v2(char *uuid, int device) {
    (void)device;
    memset(uuid, 7, 16);
    return SUCCESS;
}
int cuDeviceGetUuid(char *uuid, int device) { return cuDeviceGetUuid_v2(uuid, device); }
int cuDeviceGetLuid(char *luid, unsigned *mask, int device) {
    (void)luid;
    (void)mask;
    (void)device;
    return NOT_SUPPORTED;
}
int cuDeviceTotalMem_v2(size_t *bytes, int device) {
    (void)device;
    *bytes = TOTAL;
    return SUCCESS;
}

int cuDeviceGetPCIBusId(char *id, int size, int device) {
    (void)device;
    snprintf(id, (size_t)size, "0000:01:00.0");
    return SUCCESS;
}

/* By the numbers of CUdevice_attribute, as an H100's driver answers. */
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    (void)device;
    switch (attribute) {
    case 1:
        *value = 1024;
        break; /* threads of a block */
    case 2:
    case 3:
        *value = 1024;
        break; /* block x, y */
    case 4:
        *value = 64;
        break; /* block z */
    case 5:
        *value = 2147483647;
        break; /* grid x */
    case 6:
    case 7:
        *value = 65535;
        break; /* grid y, z */
    case 8:
        *value = 49152;
        break; /* shared memory of a block */
    case 10:
        *value = 32;
        break; /* warp */
    case 12:
        *value = 65536;
        break; /* registers of a block */
    case 16:
        *value = 132;
        break; /* multiprocessors */
    case 39:
        *value = 2048;
        break; /* threads of a multiprocessor */
    case 75:
        *value = 9;
        break; /* compute capability */
    case 76:
        *value = 0;
        break;
    case 81:
        *value = 233472;
        break; /* shared memory of a multiprocessor */
    case 97:
        *value = 232448;
        break; /* shared memory of a block that asks */
    case 115:
        *value = 1;
        break; /* memory pools */
    default:
        *value = 0;
    }
    return SUCCESS;
}

/* --- contexts and streams ---------------------------------------------------------------------------------- */

static int context, pool;
static __thread void *current;

int cuDevicePrimaryCtxRetain(void **made, int device) {
    (void)device;
    *made = &context;
    return SUCCESS;
}
int cuDevicePrimaryCtxRelease_v2(int device) {
    (void)device;
    return SUCCESS;
}
int cuCtxSetCurrent(void *set) {
    current = set;
    return SUCCESS;
}
int cuCtxGetCurrent(void **got) {
    *got = current;
    return SUCCESS;
}
int cuCtxSynchronize(void) {
    synced();
    return SUCCESS;
}
int cuCtxGetStreamPriorityRange(int *least, int *greatest) {
    *least = 0;
    *greatest = -5;
    return SUCCESS;
}
int cuStreamCreate(void **stream, unsigned flags) {
    (void)flags;
    *stream = malloc(1);
    return SUCCESS;
}
int cuStreamCreateWithPriority(void **stream, unsigned flags, int priority) {
    (void)priority;
    return cuStreamCreate(stream, flags);
}
int cuStreamDestroy_v2(void *stream) {
    free(stream);
    return SUCCESS;
}
int cuStreamSynchronize(void *stream) {
    (void)stream;
    synced();
    return SUCCESS;
}
int cuStreamWaitEvent(void *stream, void *event, unsigned flags) {
    (void)stream;
    (void)event;
    (void)flags;
    return SUCCESS;
}

int cuEventCreate(void **event, unsigned flags) {
    (void)flags;
    *event = calloc(1, sizeof(struct event));
    return SUCCESS;
}
int cuEventDestroy_v2(void *event) {
    free(event);
    return SUCCESS;
}
int cuEventRecord(void *event, void *stream) {
    (void)stream;
    pthread_mutex_lock(&lock);
    ((struct event *)event)->at = launched;
    pthread_mutex_unlock(&lock);
    return SUCCESS;
}
int cuEventQuery(void *event) {
    (void)event;
    return SUCCESS;
}
int cuEventSynchronize(void *event) {
    (void)event;
    synced();
    return SUCCESS;
}
int cuEventElapsedTime_v2(float *milliseconds, void *from, void *to) {
    *milliseconds = (float)(((struct event *)to)->at - ((struct event *)from)->at) * LAUNCH_MS;
    return SUCCESS;
}
int cuEventElapsedTime(float *milliseconds, void *from, void *to) {
    return cuEventElapsedTime_v2(milliseconds, from, to);
}

/* --- memory: the host's, of which only what is touched is taken ---------------------------------------------- */

static int take(uint64_t *at, size_t size) {
    int result = OUT_OF_MEMORY;
    pthread_mutex_lock(&lock);
    if (held + size <= TOTAL) {
        void *got = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        struct block *block = got == MAP_FAILED ? NULL : malloc(sizeof *block);
        if (block) {
            *block = (struct block){got, size, blocks};
            blocks = block;
            held += size;
            *at = (uint64_t)got;
            result = SUCCESS;
        }
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static int give(uint64_t at) {
    int result = INVALID_VALUE;
    pthread_mutex_lock(&lock);
    for (struct block **next = &blocks; *next; next = &(*next)->next) {
        struct block *block = *next;
        if ((uint64_t)block->at != at)
            continue;
        munmap(block->at, block->size);
        held -= block->size;
        *next = block->next;
        free(block);
        result = SUCCESS;
        break;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int cuMemGetInfo_v2(size_t *free_bytes, size_t *total) {
    *free_bytes = TOTAL - held;
    *total = TOTAL;
    return SUCCESS;
}
int cuMemAlloc_v2(uint64_t *at, size_t size) { return take(at, size); }
int cuMemAllocAsync(uint64_t *at, size_t size, void *stream) {
    (void)stream;
    return take(at, size);
}
int cuMemFree_v2(uint64_t at) { return give(at); }
int cuMemFreeAsync(uint64_t at, void *stream) {
    (void)stream;
    return give(at);
}
int cuMemAllocHost_v2(void **at, size_t size) {
    return posix_memalign(at, 4096, size ? size : 1) ? OUT_OF_MEMORY : SUCCESS;
}
int cuMemFreeHost(void *at) {
    free(at);
    return SUCCESS;
}
int cuDeviceGetDefaultMemPool(void **got, int device) {
    (void)device;
    *got = &pool;
    return SUCCESS;
}
int cuDeviceGetMemPool(void **got, int device) {
    (void)device;
    *got = &pool;
    return SUCCESS;
}
int cuMemPoolSetAttribute(void *which, int attribute, void *value) {
    (void)which;
    (void)attribute;
    (void)value;
    return SUCCESS;
}
int cuMemPoolTrimTo(void *which, size_t keep) {
    (void)which;
    (void)keep;
    return SUCCESS;
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t size, void *stream) {
    (void)stream;
    memcpy((void *)to, from, size);
    return SUCCESS;
}
int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t size) {
    memcpy((void *)to, from, size);
    return SUCCESS;
}
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t size, void *stream) {
    (void)stream;
    memcpy(to, (void *)from, size);
    return SUCCESS;
}
int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t size) {
    memcpy(to, (void *)from, size);
    return SUCCESS;
}
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t size, void *stream) {
    (void)stream;
    memmove((void *)to, (void *)from, size);
    return SUCCESS;
}
int cuMemsetD8Async(uint64_t to, unsigned char value, size_t size, void *stream) {
    (void)stream;
    memset((void *)to, value, size);
    return SUCCESS;
}

/* CUDA_MEMCPY2D */
struct copy {
    size_t from_x, from_y;
    int from_type;
    const void *from_host;
    uint64_t from_device;
    void *from_array;
    size_t from_pitch;
    size_t to_x, to_y;
    int to_type;
    void *to_host;
    uint64_t to_device;
    void *to_array;
    size_t to_pitch;
    size_t width, height;
};
int cuMemcpy2DAsync_v2(const struct copy *copy, void *stream) {
    (void)stream;
    const char *from = copy->from_type == 1 ? copy->from_host : (const char *)copy->from_device;
    char *to = copy->to_type == 1 ? copy->to_host : (char *)copy->to_device;
    for (size_t row = 0; row < copy->height; row++)
        memcpy(to + (copy->to_y + row) * copy->to_pitch + copy->to_x,
               from + (copy->from_y + row) * copy->from_pitch + copy->from_x, copy->width);
    return SUCCESS;
}

/* --- kernels ------------------------------------------------------------------------------------------------ */

int cuModuleLoadData(void **made, const void *image) {
    struct module *module = malloc(sizeof *module);
    pthread_mutex_lock(&lock);
    module->number = ++modules;
    if (out()) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%d.ptx", out(), module->number);
        FILE *file = fopen(path, "w");
        if (file) {
            fputs(image, file);
            fclose(file);
        }
    }
    pthread_mutex_unlock(&lock);
    *made = module;
    return SUCCESS;
}
int cuModuleUnload(void *module) {
    free(module);
    return SUCCESS;
}
int cuModuleGetFunction(void **made, void *module, const char *name) {
    struct function *function = malloc(sizeof *function + strlen(name) + 1);
    function->module = module;
    strcpy(function->name, name);
    *made = function;
    return SUCCESS;
}
int cuFuncSetAttribute(void *function, int attribute, int value) {
    (void)function;
    (void)attribute;
    (void)value;
    return SUCCESS;
}
int cuFuncGetAttribute(int *value, int attribute, void *function) {
    (void)attribute;
    (void)function;
    *value = 0;
    return SUCCESS;
}
int cuLaunchKernel(struct function *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, void *stream, void **arguments, void **extra) {
    (void)stream;
    (void)arguments;
    (void)extra;
    /* cubecl measures what the card can do by the clock on the wall, over ever more rounds until some time passes. */
    if (strstr(f->name, "throughput"))
        usleep(20000);
    char line[4096];
    snprintf(line, sizeof line, "%d\t%s\t%u,%u,%u\t%u,%u,%u\t%u\n", f->module->number, f->name, gx, gy, gz, bx, by, bz,
             shared);
    pthread_mutex_lock(&lock);
    launched++;
    note(line);
    pthread_mutex_unlock(&lock);
    return SUCCESS;
}

int cuGetErrorName(int error, const char **name) {
    (void)error;
    *name = "PRETENDED";
    return SUCCESS;
}
int cuGetErrorString(int error, const char **text) {
    (void)error;
    *text = "a pretended driver's error";
    return SUCCESS;
}
