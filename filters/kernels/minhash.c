/* */
#include "kernels.h"

PyMethodDef minhash_methods[] = {{0}};
