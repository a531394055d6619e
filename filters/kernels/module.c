/* The module tilth.filters._kernels: all kernels in one extension, built against the stable ABI. */
#include "digest.h"
#include "kernels.h"

static int add_methods(PyObject *module)
{
    PyMethodDef *tables[] = {words_methods, ngrams_methods, minhash_methods, simplify_methods, fold_methods, seeds_methods, align_methods, spacy_methods, jieba_methods, fasttext_methods, near_methods};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (PyModule_AddFunctions(module, tables[i])) return -1;
    return PyModule_AddStringConstant(module, "DIGEST", KERNELS_DIGEST);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, add_methods}, {0}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "tilth.filters._kernels", .m_doc = "Compiled loops over text; see _kernels.pyi.", .m_slots = slots};

PyMODINIT_FUNC PyInit__kernels(void) { return PyModuleDef_Init(&definition); }
