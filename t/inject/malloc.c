/*
 * malloc.c: makes the n-th allocation of an nginx fail, preloaded into it, and
 * counts the blocks that it holds. Those of the libraries that it uses are left
 * alone: only what nginx's own functions ask for, which is all that a pool is
 * made of. With NGX_DEBUG_PALLOC that is each piece of a pool.
 *
 * IGW_INJECT names a file of struct orders, which the test writes and reads
 * while nginx runs; without it everything works.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STACK_MAX = 12 }; /* what is shown of who wanted memory */

/* As the test has it: 32-bit numbers. */
struct orders {
    atomic_uint fail_at; /* 0: nothing is counted */
    atomic_uint calls;   /* since the test set it to 0 */
    atomic_uint failed;  /* how many were made to fail */
    atomic_int held;     /* blocks, since the start */
};

typedef void *malloc_function(size_t size);
typedef int memalign_function(void **block, size_t alignment, size_t size);
typedef void free_function(void *block);
typedef void *mmap_function(void *at, size_t len, int how, int flags, int fd,
                            off_t offset);

static malloc_function *real_malloc;
static memalign_function *real_memalign;
static free_function *real_free;
static mmap_function *real_mmap;
static struct orders *orders;
static uintptr_t nginx_begin;
static uintptr_t nginx_end;

static void begin(void) __attribute__((constructor));

/*
 * What was there before, for whoever is first; that may be dlsym() itself,
 * which frees a message that it had: nobody's loss.
 */
static int
is_ready(void)
{
    static int is_looking;

    if (real_mmap == NULL && !is_looking) {
        is_looking = 1;
        real_free = (free_function *)dlsym(RTLD_NEXT, "free");
        real_malloc = (malloc_function *)dlsym(RTLD_NEXT, "malloc");
        real_memalign = (memalign_function *)dlsym(RTLD_NEXT, "posix_memalign");
        real_mmap = (mmap_function *)dlsym(RTLD_NEXT, "mmap");
    }
    return real_mmap != NULL;
}

/* The first object is the program. */
static int
find_nginx(struct dl_phdr_info *object, size_t size, void *data)
{
    (void)size;
    (void)data;
    nginx_begin = object->dlpi_addr;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        uintptr_t end = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr
                        + object->dlpi_phdr[i].p_memsz;

        if (object->dlpi_phdr[i].p_type == PT_LOAD && end > nginx_end) {
            nginx_end = end;
        }
    }
    return 1;
}

static void
begin(void)
{
    const char *path = getenv("IGW_INJECT");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *page;

    if (fd < 0 || !is_ready() || dlsym(RTLD_DEFAULT, "ngx_cycle") == NULL) {
        return; /* of a script that starts nginx, for one */
    }
    page = real_mmap(NULL, sizeof(struct orders), PROT_READ | PROT_WRITE,
                     MAP_SHARED, fd, 0);
    (void)close(fd);
    if (page == MAP_FAILED) {
        abort();
    }
    (void)dl_iterate_phdr(find_nginx, NULL);
    orders = page;
}

static int
is_nginx(const void *caller)
{
    return orders != NULL && (uintptr_t)caller >= nginx_begin
           && (uintptr_t)caller < nginx_end;
}

static int
is_chosen(const void *caller)
{
    void *stack[STACK_MAX];
    unsigned int fail_at;

    if (!is_nginx(caller)) {
        return 0;
    }
    fail_at = atomic_load(&orders->fail_at);
    if (fail_at == 0 || atomic_fetch_add(&orders->calls, 1) + 1 != fail_at) {
        return 0;
    }
    atomic_fetch_add(&orders->failed, 1);
    backtrace_symbols_fd(stack, backtrace(stack, STACK_MAX), STDERR_FILENO);
    errno = ENOMEM;
    return 1;
}

static void
hold(const void *caller, int count)
{
    if (is_nginx(caller)) {
        atomic_fetch_add(&orders->held, count);
    }
}

void *
malloc(size_t size)
{
    const void *caller = __builtin_return_address(0);
    void *block;

    if (!is_ready()) {
        return NULL;
    }
    block = is_chosen(caller) ? NULL : real_malloc(size);
    hold(caller, block != NULL);
    return block;
}

int
posix_memalign(void **block, size_t alignment, size_t size)
{
    const void *caller = __builtin_return_address(0);
    int error;

    if (!is_ready()) {
        return ENOMEM;
    }
    error = is_chosen(caller) ? ENOMEM : real_memalign(block, alignment, size);
    hold(caller, error == 0);
    return error;
}

void
free(void *block)
{
    if (!is_ready()) {
        return;
    }
    hold(__builtin_return_address(0), block == NULL ? 0 : -1);
    real_free(block);
}

/* A zone of shared memory. */
void *
mmap(void *at, size_t len, int how, int flags, int fd, off_t offset)
{
    if (!is_ready() || is_chosen(__builtin_return_address(0))) {
        return MAP_FAILED;
    }
    return real_mmap(at, len, how, flags, fd, offset);
}
