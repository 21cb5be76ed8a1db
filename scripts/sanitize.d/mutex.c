// Tells ThreadSanitizer of a contended Synchronization.Mutex.
//
// A free mutex is taken and given back in the caller's code, which is instrumented. When a thread has to wait, Swift's
// library asks the kernel (futex(2), FUTEX_LOCK_PI and FUTEX_UNLOCK_PI), which ThreadSanitizer does not see: it would
// report what two threads do one after the other under the lock. Preloaded, these stand in front of the library's.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

// Synchronization._MutexHandle._lockSlow(UInt32) and ._unlockSlow()
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

typedef SWIFT void (*lock_slow_t)(uint32_t thread, SELF void *mutex);
typedef SWIFT void (*unlock_slow_t)(SELF void *mutex);

// Absent in programs without ThreadSanitizer, which are preloaded with this all the same.
extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

SWIFT void lock_slow(uint32_t thread, SELF void *mutex) __asm__(LOCK_SLOW);
SWIFT void unlock_slow(SELF void *mutex) __asm__(UNLOCK_SLOW);

static lock_slow_t library_lock_slow;
static unlock_slow_t library_unlock_slow;

__attribute__((constructor)) static void find(void) {
    library_lock_slow = (lock_slow_t)dlsym(RTLD_NEXT, LOCK_SLOW);
    library_unlock_slow = (unlock_slow_t)dlsym(RTLD_NEXT, UNLOCK_SLOW);
}

SWIFT void lock_slow(uint32_t thread, SELF void *mutex) {
    library_lock_slow(thread, mutex);
    if (__tsan_acquire) __tsan_acquire(mutex);
}

SWIFT void unlock_slow(SELF void *mutex) {
    if (__tsan_release) __tsan_release(mutex);
    library_unlock_slow(mutex);
}
