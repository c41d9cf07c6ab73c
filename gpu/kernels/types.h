/* Fixed-width words and the few words of C that differ from target to target.
 *
 * The kernels are freestanding: no libc, no libm, no heap, no recursion, no global that is written. One
 * source is compiled for the CPU (several instruction sets), for CUDA and for RV32IM, and has to give the
 * same bits on each. */
#ifndef IFX_TYPES_H
#define IFX_TYPES_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed int i32;
typedef signed long long i64;

#if defined(__CUDACC__)
#define IFX_FN static __device__ __forceinline__
#define IFX_COLD static __device__ __noinline__
#define IFX_TABLE static __device__ const
#define IFX_RESTRICT __restrict__
#else
#define IFX_FN static inline __attribute__((always_inline))
#define IFX_COLD static __attribute__((noinline))
#define IFX_TABLE static const
#define IFX_RESTRICT __restrict__
#endif

/* The same source is linked once for each instruction set: its public symbols carry a prefix. */
#ifndef IFX_PREFIX
#define IFX_PREFIX ifx_
#endif
#define IFX_CAT2(a, b) a##b
#define IFX_CAT(a, b) IFX_CAT2(a, b)
#define IFX_SYMBOL(name) IFX_CAT(IFX_PREFIX, name)

/* What stays true in an array of a struct: its size, on every target. */
#define IFX_ASSERT_SIZE(type, size) typedef char type##_has_its_size[sizeof(type) == (size) ? 1 : -1]

#endif
