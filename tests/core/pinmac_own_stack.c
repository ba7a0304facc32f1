// Runs a function on a stack of its own, so that a test can look at what it left there.
#define _GNU_SOURCE
#include <ucontext.h>

enum { STACK = 65536, ARGUMENTS = 8 };

long fake_on_stack(void *function, const long arguments[ARGUMENTS]);

unsigned char fake_stack[STACK] __attribute__((aligned(64)));
static ucontext_t outside, inside;
static struct {
    long (*function)(long, long, long, long, long, long, long, long);
    long argument[ARGUMENTS], result;
} call;

static void run(void) {
    const long *a = call.argument;
    call.result = call.function(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
}

// Integers and pointers only; what a function does not take is not looked at (System V ABI).
long fake_on_stack(void *function, const long arguments[ARGUMENTS]) {
    *(void **)&call.function = function;
    for (int i = 0; i < ARGUMENTS; i++) {
        call.argument[i] = arguments[i];
    }
    getcontext(&inside);
    inside.uc_stack.ss_sp = fake_stack;
    inside.uc_stack.ss_size = sizeof fake_stack;
    inside.uc_link = &outside;
    makecontext(&inside, run, 0);
    swapcontext(&outside, &inside);
    return call.result;
}
