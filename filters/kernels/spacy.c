/* */
#include "kernels.h"

PyMethodDef spacy_methods[] = {{0}};
