/* */
#include "kernels.h"

PyMethodDef jieba_methods[] = {{0}};
