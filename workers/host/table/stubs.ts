// The imports that do nothing. They return an error number or a constant if C code can continue with it, and otherwise end the
// interpreter. Owns the list, the values and the reasons.
import { errno } from '../errno.js'
import type { ImportClass, ImportRow } from './row.js'

/** EAI_FAIL of getaddrinfo(3). */
const EAI_FAIL = -4
/** FFI_BAD_ABI of ffi(3). */
const FFI_BAD_ABI = 2

interface Group {
  readonly class: ImportClass
  readonly why: string
  readonly value?: number | null
  readonly names: string
}

const NO_NETWORK = 'there is no network: Python raises OSError'
const NO_JAVASCRIPT = 'handles a JavaScript value: sessions have none'

const GROUPS: readonly Group[] = [
  {
    class: 'stub-errno',
    why: NO_NETWORK,
    value: -errno.EAFNOSUPPORT,
    names: '__syscall_socket',
  },
  {
    class: 'stub-errno',
    why: `${NO_NETWORK} (no descriptor is a socket)`,
    value: -errno.ENOTSOCK,
    names: `__syscall_accept4 __syscall_bind __syscall_connect __syscall_getpeername __syscall_getsockname
      __syscall_getsockopt __syscall_listen __syscall_recvfrom __syscall_recvmsg __syscall_sendmsg __syscall_sendto`,
  },
  {
    class: 'stub-errno',
    why: 'there is no network: Python raises socket.gaierror',
    value: EAI_FAIL,
    names: 'getaddrinfo getnameinfo',
  },
  {
    class: 'stub-errno',
    why: 'os.system: there is no shell; nothing runs and the result is -1',
    value: -errno.ENOSYS,
    names: '_emscripten_system',
  },
  {
    class: 'stub-errno',
    why: 'timers of setitimer: this build of Python has no way to ask for one',
    value: -errno.ENOSYS,
    names: '_setitimer_js',
  },
  {
    class: 'stub-value',
    why: 'callbacks of ctypes and cffi would be new entries of the function table (I1): making one is an error of theirs',
    value: FFI_BAD_ABI,
    names: 'ffi_prep_closure_loc_js',
  },
  {
    class: 'stub-value',
    why: 'no such protocol, no such host',
    value: 0,
    names: 'getprotobyname _emscripten_lookup_name',
  },
  {
    class: 'stub-value',
    why: 'asks whether a descriptor is a socket of Pyodide’s: it is not',
    value: 0,
    names: '_try_fcntl64 _try_shutdown',
  },
  {
    class: 'stub-value',
    why: 'asks whether to wait for a socket of Pyodide’s: no (null)',
    value: null,
    names: '_maybe_connect_async _maybe_recvfrom_async _maybe_sendto_async _maybe_poll_async',
  },
  {
    class: 'stub-value',
    why: 'asks whether Python may wait for JavaScript: no',
    value: 0,
    names: 'can_run_sync_js',
  },
  {
    class: 'stub-value',
    why: 'the name of a JavaScript runtime: none is told',
    value: 0,
    names: '_Py_emscripten_runtime',
  },
  {
    class: 'stub-value',
    why: 'a test device of Pyodide’s: not set up',
    value: 0,
    names: 'emscripten_set_up_async_input_device_js',
  },
  {
    class: 'stub-value',
    why: 'talks to a JavaScript console or debugger: silent',
    names: 'emscripten_debugger emscripten_log_impl_js _emscripten_log_formatted',
  },
  {
    class: 'stub-value',
    why: 'keeps a JavaScript event loop alive: there is none',
    names:
      'emscripten_runtime_keepalive_push emscripten_runtime_keepalive_pop _emscripten_runtime_keepalive_clear',
  },
  {
    class: 'ends-interpreter',
    why: 'would evaluate text as JavaScript (R2)',
    names: 'emscripten_asm_const_int raw_call_js',
  },
  {
    class: 'ends-interpreter',
    why: 'loads dynamic libraries asynchronously',
    names: `_emscripten_dlopen_js emscripten_promise_create emscripten_promise_resolve emscripten_promise_destroy
      capture_stderr restore_stderr`,
  },
  {
    class: 'ends-interpreter',
    why: 'starts or tests Pyodide’s bridge, which a slot does not have',
    names: `pyodide_js_init set_pyodide_module jslib_init_js jslib_init_buffers_js fail_test throw_no_gil
      gc_register_proxies Jsv_GetError_import`,
  },
  {
    class: 'ends-interpreter',
    why: 'suspends WebAssembly for a JavaScript promise: the kernel returns instead',
    names: 'set_suspender get_suspender saveState restoreState syncifyHandler JsvPromise_Syncify_handleError',
  },
  {
    class: 'ends-interpreter',
    why: 'makes a JavaScript object of a Python one',
    names: `pyproxy_new pyproxy_new_ex pyproxy_AsPyObject pyproxy_Check proxy_cache_get proxy_cache_set destroy_proxy
      destroy_proxies destroy_proxies_js destroy_jsarray_entries create_once_callable create_promise_handles
      _pyproxyGen_make_result _pyproxy_get_buffer_result wrap_generator wrap_async_generator
      get_async_js_call_done_callback array_to_js my_dict_converter _python2js_buffer_inner _python2js_cache_lookup
      _python2js_add_to_cache _python2js_addto_postprocess_list _python2js_handle_postprocess_list
      python2js__default_converter_js python2js__eager_converter_js python2js_custom__create_jscontext
      _python2js_ascii _python2js_ucs1 _python2js_ucs2 _python2js_ucs4 _JsObject_Set_js _JsArray_PushEntry_helper
      _JsArray_PostProcess_helper`,
  },
  {
    class: 'ends-interpreter',
    why: 'makes a Python object of a JavaScript one',
    names: `js2python_js js2python_immutable_js js2python_convert new_error JsException_new_helper is_comlink_proxy
      hiwire_invalid_ref_js __hiwire_deduplicate_new __hiwire_deduplicate_get __hiwire_deduplicate_set
      __hiwire_deduplicate_delete handle_next_result_js _agen_handle_result_js`,
  },
  {
    class: 'ends-interpreter',
    why: NO_JAVASCRIPT,
    names: `JsProxy_compute_typeflags JsProxy_GetAttr_js JsProxy_SetAttr_js JsProxy_DelAttr_js JsProxy_GetIter_js
      JsProxy_GetAsyncIter_js JsProxy_subscript_js JsProxy_Dir_js JsProxy_Bool_js JsProxy_to_weakref_js JsProxy_exit_js
      JsProxy_aexit_js JsModule_GetAll_js JsObjMap_GetIter_js JsObjMap_length_js JsObjMap_subscript_js
      JsObjMap_ass_subscript_js JsObjMap_contains_js JsMap_GetIter_js JsMap_clear_js JsArray_repeat_js
      JsArray_inplace_repeat_js JsArray_index_js JsArray_reverse_js JsArray_reversed_iterator JsArray_count_js
      JsBuffer_get_info JsBuffer_DecodeString_js JsDoubleProxy_unwrap_js get_length_helper get_length_string`,
  },
  {
    class: 'ends-interpreter',
    why: NO_JAVASCRIPT,
    names: `Jsv_constructorName Jsv_to_bool Jsv_typeof Jsv_less_than Jsv_less_than_equal Jsv_equal Jsv_not_equal
      Jsv_greater_than Jsv_greater_than_equal Jsv_BigIntToNum JsvNoValue_Check JsvNum_fromInt JsvNum_fromDouble
      JsvNum_toInt JsvBigInt_fromInt JsvBigInt_fromDigits JsvUTF8ToString JsvError_Check JsvError_Throw
      JsvArray_Check JsvArray_New JsvArray_Get JsvArray_Set JsvArray_Delete JsvArray_Push JsvArray_Insert
      JsvArray_Extend JsvArray_ShallowCopy JsvArray_slice JsvArray_slice_assign JsvBuffer_assignToPtr
      JsvBuffer_assignFromPtr JsvBuffer_writeToFile JsvBuffer_readFromFile JsvBuffer_intoFile JsvFunction_Check
      JsvFunction_CallBound JsvFunction_Call_OneArg JsvFunction_Construct JsvPromise_Check JsvPromise_Resolve
      JsvObject_New JsvObject_SetAttr JsvObject_toString JsvObject_Entries JsvObject_Keys JsvObject_Values
      JsvObject_CallMethod JsvObject_CallMethod_NoArgs JsvObject_CallMethod_OneArg JsvObject_CallMethod_TwoArgs
      JsvMap_New JsvLiteralMap_New JsvMap_Set JsvSet_New JsvSet_Add JsvGenerator_Check JsvAsyncGenerator_Check`,
  },
]

export const STUB_ROWS: readonly ImportRow[] = GROUPS.flatMap(({ class: rowClass, why, value, names }) =>
  names.split(/\s+/).map((name) => ({
    module: 'env' as const,
    name,
    class: rowClass,
    why,
    ...(value === undefined ? {} : { value }),
  })),
)
