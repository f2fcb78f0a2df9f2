/* The library's flat calls for CPython, without ctypes: what a call costs is then the library's own time, and the objects
 * that it gives. It is optional: _flat.py takes _by_ctypes.py where it is not there, and the same tests run on both.
 *
 * Of Python it needs the limited API of 3.9 alone, so that one file serves every version; of the library its header. It is
 * not linked to the library, but told where its functions are: the library is the one that _native has found.
 *
 * A call gives what it answered and its text, octets, as in _by_ctypes.py; no text after an error that it does not describe,
 * or where the buffer was too small. A begin gives its text's parts. Handles are whole numbers. The GIL is kept, but in the functions for stores that may wait. */

#define Py_LIMITED_API 0x03090000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdio.h>
#include <string.h>
#include <tuile.h>

/* The first two as in _by_ctypes.py. In `said` an error has its place: the digits of an offset, and a message. */
enum { room = 16384, longest = 4096, said = 272 };

#define FUNCTIONS(each) \
  each(flat_cookies) each(flat_set_cookie) each(flat_sign) each(flat_unsign) each(flat_dumps) each(flat_loads) \
  each(flat_begin) each(flat_commit) each(flat_again) each(session_start) each(session_json) \
  each(session_set_json) each(session_add_int) each(session_end)
#define DECLARED(name) static __typeof__(tuile_##name) *name;
FUNCTIONS(DECLARED)

/* The functions' addresses by their names. Those of a second interpreter in this process are the same. */
static PyObject *bind(PyObject *module, PyObject *addresses)
{
    (void)module;
#define BOUND(name) \
    PyObject *address_of_##name = PyMapping_GetItemString(addresses, "tuile_" #name); \
    if (address_of_##name == NULL) return NULL; \
    void *found_##name = PyLong_AsVoidPtr(address_of_##name); \
    Py_DECREF(address_of_##name); \
    if (found_##name == NULL) return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "no address of %s", #name); \
    memcpy(&name, &found_##name, sizeof name);
    FUNCTIONS(BOUND)
    Py_RETURN_NONE;
}

/* ---- what is given, and what comes of it ---- */

struct given {
    void *handle;
    char *text;
    Py_ssize_t size;
    int64_t number;
};

static int handle_taken(PyObject *number, void **handle)
{
    *handle = PyLong_AsVoidPtr(number);
    return *handle != NULL || !PyErr_Occurred();
}

/* A handle and octets, and a third argument, a number, where there are three. */
static int taken(PyObject *arguments, int wanted, struct given *given)
{
    Py_ssize_t count = PyTuple_Size(arguments);
    if (count != wanted) {
        PyErr_Format(PyExc_TypeError, "%d arguments are needed, not %zd", wanted, count);
        return 0;
    }
    if (!handle_taken(PyTuple_GetItem(arguments, 0), &given->handle)) return 0;
    if (PyBytes_AsStringAndSize(PyTuple_GetItem(arguments, 1), &given->text, &given->size) < 0) return 0;
    if (count < 3) return 1;
    PyObject *number = PyTuple_GetItem(arguments, 2);
    /* Python 3.9 would round a float. */
    if (!PyLong_Check(number)) {
        PyErr_SetString(PyExc_TypeError, "the third argument is no whole number");
        return 0;
    }
    given->number = PyLong_AsLongLong(number);
    return given->number != -1 || !PyErr_Occurred();
}

static tuile_bytes view(PyObject *octets)
{
    char *text = NULL;
    Py_ssize_t size = 0;
    PyBytes_AsStringAndSize(octets, &text, &size);
    return (tuile_bytes){(const void *)text, (size_t)size};
}

/* A handle and two octets. */
static int two_taken(PyObject *arguments, void **handle, tuile_bytes *first, tuile_bytes *second)
{
    PyObject *number, *one, *other;
    if (!PyArg_ParseTuple(arguments, "OSS", &number, &one, &other) || !handle_taken(number, handle)) return 0;
    *first = view(one);
    *second = view(other);
    return 1;
}

static PyObject *octets(int64_t count, const char *buffer)
{
    int64_t size = count > room ? 0 : count < 0 ? said : count;
    return PyBytes_FromStringAndSize(buffer, (Py_ssize_t)size);
}

static PyObject *answered(int64_t count, const char *buffer)
{
    return Py_BuildValue("LN", (long long)count, octets(count, buffer));
}

/* What an error says ends with a NUL; what is behind it is nobody's. */
#define BUFFER char buffer[room]; memset(buffer, 0, said)

/* ---- signing ---- */

static PyObject *sign(PyObject *module, PyObject *arguments)
{
    (void)module;
    struct given given;
    BUFFER;
    if (!taken(arguments, 2, &given)) return NULL;
    return answered(flat_sign(given.handle, given.text, (size_t)given.size, buffer, room), buffer);
}

#define WITH_NUMBER(function, type) \
static PyObject *function(PyObject *module, PyObject *arguments) \
{ \
    (void)module; \
    struct given given; \
    BUFFER; \
    if (!taken(arguments, 3, &given)) return NULL; \
    return answered(flat_##function(given.handle, given.text, (size_t)given.size, (type)given.number, buffer, room), buffer); \
}
WITH_NUMBER(unsign, int64_t)
WITH_NUMBER(dumps, int32_t)
WITH_NUMBER(loads, int64_t)

/* ---- cookies ---- */

/* The fields, the age and the flags. */
static PyObject *set_cookie(PyObject *module, PyObject *arguments)
{
    (void)module;
    char *text;
    Py_ssize_t size;
    long long age;
    unsigned int flags;
    BUFFER;
    PyObject *fields;
    if (!PyArg_ParseTuple(arguments, "SLI", &fields, &age, &flags) || PyBytes_AsStringAndSize(fields, &text, &size) < 0) return NULL;
    return answered(flat_set_cookie(text, (size_t)size, age, flags, buffer, room), buffer);
}

/* Octets of text as headers have it, where a surrogate stands for an octet that is not UTF-8; a new reference. */
static PyObject *header_octets(PyObject *header)
{
    if (PyBytes_Check(header)) {
        Py_INCREF(header);
        return header;
    }
    if (!PyUnicode_Check(header)) {
        PyErr_SetString(PyExc_TypeError, "neither text nor octets");
        return NULL;
    }
    PyObject *plain = PyUnicode_AsUTF8String(header);
    if (plain != NULL || !PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return plain;
    PyErr_Clear();
    return PyUnicode_AsEncodedString(header, "utf-8", "surrogateescape");
}

/* The next part of the text, which a NUL ends. */
static PyObject *part(const char **at)
{
    size_t size = strlen(*at);
    PyObject *text = PyUnicode_DecodeUTF8(*at, (Py_ssize_t)size, "surrogateescape");
    *at += size + 1;
    return text;
}

static int add_to_dict(PyObject *found, PyObject *name, PyObject *value)
{
    return PyDict_SetItem(found, name, value);
}

static int add_to_list(PyObject *found, PyObject *name, PyObject *value)
{
    PyObject *pair = PyTuple_Pack(2, name, value);
    int status = pair == NULL ? -1 : PyList_Append(found, pair);
    Py_XDECREF(pair);
    return status;
}

/* All cookies of a header in a mode, each added to `found`, which is taken; None for what only the functions with structs can tell of. */
static PyObject *cookies(PyObject *arguments, PyObject *found, int (*add)(PyObject *, PyObject *, PyObject *))
{
    PyObject *header, *raw = NULL;
    char *text;
    Py_ssize_t size;
    int mode;
    char buffer[room + 1];
    if (found == NULL || !PyArg_ParseTuple(arguments, "Oi", &header, &mode)) goto failed;
    raw = header_octets(header);
    if (raw == NULL || PyBytes_AsStringAndSize(raw, &text, &size) < 0) goto failed;
    int64_t count = size > longest ? -1 : flat_cookies(text, (size_t)size, (tuile_cookie_mode)mode, buffer, room);
    Py_DECREF(raw);
    raw = NULL;
    if (count < 0 || count > room) {
        Py_DECREF(found);
        Py_RETURN_NONE;
    }
    /* Where the last part would not end, the buffer does. */
    buffer[count] = 0;
    for (const char *at = buffer; at < buffer + count;) {
        PyObject *name = part(&at), *value = name == NULL ? NULL : part(&at);
        int status = value == NULL ? -1 : add(found, name, value);
        Py_XDECREF(name);
        Py_XDECREF(value);
        if (status < 0) goto failed;
    }
    return found;
failed:
    Py_XDECREF(raw);
    Py_XDECREF(found);
    return NULL;
}

static PyObject *parse(PyObject *module, PyObject *arguments)
{
    (void)module;
    return cookies(arguments, PyDict_New(), add_to_dict);
}

static PyObject *pairs(PyObject *module, PyObject *arguments)
{
    (void)module;
    return cookies(arguments, PyList_New(0), add_to_list);
}

/* ---- sessions: each once for stores that wait for nobody, and once for the others ---- */

#define KEEPING(call) call
#define LEAVING(call) Py_BEGIN_ALLOW_THREADS call; Py_END_ALLOW_THREADS

/* As a flat call answers: 0, or of an error its status, and where and what in the buffer. */
static int64_t counted(tuile_status status, const tuile_error *error, char *buffer)
{
    if (status == TUILE_OK) return 0;
    if (status > 0) return TUILE_FLAT_ANSWER - status;
    int written = snprintf(buffer, said, "%zu", error->offset);
    memcpy(buffer + written + 1, error->message, sizeof error->message);
    return status;
}

/* The answer, what was found, which is taken, and the session, None after an error. */
static PyObject *begun(int64_t count, PyObject *found, tuile_session *session)
{
    PyObject *number = session == NULL ? Py_BuildValue("") : PyLong_FromVoidPtr(session);
    PyObject *answer = found == NULL || number == NULL ? NULL : Py_BuildValue("LOO", (long long)count, found, number);
    Py_XDECREF(found);
    Py_XDECREF(number);
    if (answer == NULL && session != NULL) session_end(session);
    return answer;
}

/* The four parts of what a begin says, as text. */
static PyObject *parted(const char *at)
{
    const char *parts[4];
    size_t sizes[4];
    for (int i = 0; i < 4; i++) parts[i] = at, sizes[i] = strlen(at), at += sizes[i] + 1;
    PyObject *key = PyUnicode_DecodeUTF8(parts[0], (Py_ssize_t)sizes[0], "surrogateescape");
    PyObject *owner = PyUnicode_DecodeUTF8(parts[1], (Py_ssize_t)sizes[1], "surrogateescape");
    PyObject *lifetime = PyUnicode_DecodeUTF8(parts[2], (Py_ssize_t)sizes[2], "surrogateescape");
    PyObject *values = PyUnicode_DecodeUTF8(parts[3], (Py_ssize_t)sizes[3], "surrogatepass");
    PyObject *found = key && owner && lifetime && values ? PyTuple_Pack(4, key, owner, lifetime, values) : NULL;
    Py_XDECREF(key);
    Py_XDECREF(owner);
    Py_XDECREF(lifetime);
    Py_XDECREF(values);
    return found;
}

/* What a begin says: the parts, of any size, or an error. */
static PyObject *found(int64_t count, char *buffer, tuile_session *session)
{
    if (count < 0) return octets(count, buffer);
    if (count <= room) return parted(buffer);
    /* With an end for each part, whatever is written. */
    char *text = PyMem_Calloc((size_t)count + 4, 1);
    if (text == NULL) return PyErr_NoMemory();
    flat_again(session, text, (size_t)count);
    PyObject *parts = parted(text);
    PyMem_Free(text);
    return parts;
}

#define SESSION(suffix, WAITED) \
static PyObject *begin##suffix(PyObject *module, PyObject *arguments) \
{ \
    (void)module; \
    struct given given; \
    tuile_session *session = NULL; \
    int64_t count; \
    BUFFER; \
    if (!taken(arguments, 2, &given)) return NULL; \
    WAITED(count = flat_begin(given.handle, given.text, (size_t)given.size, &session, buffer, room)); \
    return begun(count, found(count, buffer, session), session); \
} \
/* Header and URL. It waits for nothing, but the log that it may tell of something may. */ \
static PyObject *start##suffix(PyObject *module, PyObject *arguments) \
{ \
    (void)module; \
    void *manager; \
    tuile_bytes header, url; \
    tuile_session *session = NULL; \
    tuile_error error = {0}; \
    tuile_status status; \
    BUFFER; \
    if (!two_taken(arguments, &manager, &header, &url)) return NULL; \
    WAITED(status = session_start(manager, header, url, &session, &error)); \
    int64_t count = counted(status, &error, buffer); \
    return begun(count, octets(count, buffer), session); \
} \
/* 0 and all values, of any size, or an error. */ \
static PyObject *json##suffix(PyObject *module, PyObject *handle) \
{ \
    (void)module; \
    tuile_bytes text = {0}; \
    tuile_error error = {0}; \
    tuile_status status; \
    BUFFER; \
    void *session; \
    if (!handle_taken(handle, &session)) return NULL; \
    WAITED(status = session_json(session, &text, &error)); \
    if (status != TUILE_OK) return answered(counted(status, &error, buffer), buffer); \
    return Py_BuildValue("iN", 0, PyBytes_FromStringAndSize((const char *)text.data, (Py_ssize_t)text.size)); \
} \
/* A name and JSON. */ \
static PyObject *set_json##suffix(PyObject *module, PyObject *arguments) \
{ \
    (void)module; \
    void *session; \
    tuile_bytes name, value; \
    tuile_error error = {0}; \
    tuile_status status; \
    BUFFER; \
    if (!two_taken(arguments, &session, &name, &value)) return NULL; \
    WAITED(status = session_set_json(session, name, value, &error)); \
    return answered(counted(status, &error, buffer), buffer); \
} \
/* A name and what is added; also the sum. */ \
static PyObject *add_int##suffix(PyObject *module, PyObject *arguments) \
{ \
    (void)module; \
    struct given given; \
    tuile_error error = {0}; \
    tuile_status status; \
    int64_t sum = 0; \
    BUFFER; \
    if (!taken(arguments, 3, &given)) return NULL; \
    tuile_bytes name = {(const void *)given.text, (size_t)given.size}; \
    WAITED(status = session_add_int(given.handle, name, given.number, &sum, &error)); \
    int64_t count = counted(status, &error, buffer); \
    return Py_BuildValue("LNL", (long long)count, octets(count, buffer), (long long)sum); \
} \
static PyObject *commit##suffix(PyObject *module, PyObject *arguments) \
{ \
    (void)module; \
    struct given given; \
    int64_t count; \
    BUFFER; \
    if (!taken(arguments, 3, &given)) return NULL; \
    int32_t status = given.number == (int32_t)given.number ? (int32_t)given.number : INT32_MAX; \
    WAITED(count = flat_commit(given.handle, given.text, (size_t)given.size, status, buffer, room)); \
    return answered(count, buffer); \
} \
static PyObject *end##suffix(PyObject *module, PyObject *handle) \
{ \
    (void)module; \
    void *session; \
    if (!handle_taken(handle, &session)) return NULL; \
    WAITED(session_end(session)); \
    Py_RETURN_NONE; \
}
SESSION(, KEEPING)
SESSION(_waiting, LEAVING)

/* The last text of a session, of which the size is known. */
static PyObject *again(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *handle;
    Py_ssize_t size;
    char *text;
    if (!PyArg_ParseTuple(arguments, "On", &handle, &size)) return NULL;
    void *session;
    if (!handle_taken(handle, &session)) return NULL;
    PyObject *found = PyBytes_FromStringAndSize(NULL, size);
    if (found == NULL || PyBytes_AsStringAndSize(found, &text, &size) < 0) return NULL;
    memset(text, 0, (size_t)size);
    flat_again(session, text, (size_t)size);
    return found;
}

static PyMethodDef functions[] = {
    {"bind", bind, METH_O, NULL},
    {"parse", parse, METH_VARARGS, NULL},
    {"pairs", pairs, METH_VARARGS, NULL},
    {"set_cookie", set_cookie, METH_VARARGS, NULL},
    {"sign", sign, METH_VARARGS, NULL},
    {"unsign", unsign, METH_VARARGS, NULL},
    {"dumps", dumps, METH_VARARGS, NULL},
    {"loads", loads, METH_VARARGS, NULL},
    {"begin", begin, METH_VARARGS, NULL},
    {"start", start, METH_VARARGS, NULL},
    {"json", json, METH_O, NULL},
    {"set_json", set_json, METH_VARARGS, NULL},
    {"add_int", add_int, METH_VARARGS, NULL},
    {"commit", commit, METH_VARARGS, NULL},
    {"end", end, METH_O, NULL},
    {"begin_waiting", begin_waiting, METH_VARARGS, NULL},
    {"start_waiting", start_waiting, METH_VARARGS, NULL},
    {"json_waiting", json_waiting, METH_O, NULL},
    {"set_json_waiting", set_json_waiting, METH_VARARGS, NULL},
    {"add_int_waiting", add_int_waiting, METH_VARARGS, NULL},
    {"commit_waiting", commit_waiting, METH_VARARGS, NULL},
    {"end_waiting", end_waiting, METH_O, NULL},
    {"again", again, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "tuile._speedups", "The library's flat calls without ctypes.", 0, functions, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__speedups(void);
PyMODINIT_FUNC PyInit__speedups(void)
{
    return PyModuleDef_Init(&definition);
}
