#define KERNELS_DIGEST "4376f7bc6bbd6c0a"
