// Which names of the interpreter belong to Pyodide's bridge between Python and JavaScript. Owns that rule. Sessions have no bridge: every
// import behind it ends the interpreter. A library that needs the bridge would load, and then end sessions.
import { KIND } from '../wasm/encoding.js'
import { VALUE_TYPE, type WasmModule } from '../wasm/module.js'

/**
 * Names of the C half of the bridge, of Emscripten's inline JavaScript, and of functions that wait for JavaScript. Functions of the main
 * module that take or return a JavaScript value are also found by their type.
 */
const NAMES = new RegExp(
  `^_*(?:${[
    // Handles of JavaScript values, and the classes and functions for them.
    'hiwire_|Js(?!on)|js2python|python2js|pythonexc2js|Py2Js|Js2Py|jslib_|jsproxy_|jsbind|py_[Jj]s|get_length_',
    // Proxies of Python objects.
    'pyproxy|init_pyodide_proxy|destroy_prox|destroy_jsarray|proxy_cache_|gc_register_prox|create_promise_handles|create_once_callable',
    'wrap_(?:generator|async_generator|promise|exception)|array_to_js|my_dict_converter|FutureDoneCallback|_agen_handle_result',
    'handle_next_result|process_throw_args|is_comlink_proxy|get_async_js_call',
    // Text that is run as JavaScript.
    'raw_call|emscripten_asm_const|em_js_|emscripten_run_script',
    // Waiting for promises.
    'can_run_sync|run_sync|set_suspender|get_suspender|syncify|syscall_syncify|saveState|restoreState|(?:enter|exit)_promising|run_main',
    'captureThreadState|restoreThreadState',
    // Pyodide's start and its errors.
    'pyodide_|set_pyodide_module|PyInit__pyodide|new_error|fail_test|trigger_fatal_error|throw_no_gil|error_handling_init',
    'capture_stderr|restore_stderr|pystate_',
    // Loading libraries and promises of Emscripten's own.
    'emscripten_dlopen|emscripten_promise_',
  ].join('|')})`,
)

/** Names of the bridge among the imports and exports of the main module. */
export function bridgeNames({ types, imports, exports, typesOfFunctions }: WasmModule): Set<string> {
  const handlesJavaScript = (type: number | undefined) => {
    const { parameters = [], results = [] } = types[type ?? -1] ?? {}
    return [...parameters, ...results].some(
      (value) => value === VALUE_TYPE.externref || value === VALUE_TYPE.funcref,
    )
  }
  const functions = [
    ...imports.filter(({ kind }) => kind === KIND.function),
    ...exports.map(({ name, kind, index }) => ({
      name,
      type: kind === KIND.function ? typesOfFunctions[index] : undefined,
    })),
  ]
  return new Set(
    functions.flatMap(({ name, type }) => (NAMES.test(name) || handlesJavaScript(type) ? [name] : [])),
  )
}

/** Whether Emscripten uses the name for inline JavaScript in a library (EM_JS, EM_ASM), even if the main module does not know it. */
export function isInlineJavaScript(name: string): boolean {
  return /^_*(?:em_js_|start_em_(?:js|asm)|stop_em_(?:js|asm)|em_asm|emscripten_asm_const)/.test(name)
}
