#define KERNELS_DIGEST "fbb5aea015216cd5"
