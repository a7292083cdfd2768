// id: powerful-globals
// title: no global opens a connection, a thread, a module or a file
// level: L2
// class: thread-seal
// expect: refused ReferenceError
// control: none the attempts are names

const NAMES = [
  ...[
    'process',
    'require',
    'module',
    'exports',
    '__dirname',
    'global',
    'fetch',
    'XMLHttpRequest',
    'WebSocket',
  ],
  ...[
    'EventSource',
    'WebAssembly',
    'navigator',
    'console',
    'crypto',
    'BroadcastChannel',
    'Worker',
    'Blob',
    'File',
  ],
  ...[
    'setInterval',
    'setImmediate',
    'structuredClone',
    'FinalizationRegistry',
    'WeakRef',
    'ShadowRealm',
    'Navigator',
  ],
  ...[
    'localStorage',
    'sessionStorage',
    'Storage',
    'CompressionStream',
    'ReadableStream',
    'URL',
    'Request',
    'Temporal',
    'gc',
  ],
]

export const attempts = Object.fromEntries(
  NAMES.map((name) => [
    name,
    () => {
      if (!(name in globalThis)) throw new ReferenceError(name)
      return name
    },
  ]),
)
