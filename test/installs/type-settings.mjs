// How users compile consumer.ts: settings of TypeScript as a tsconfig has them. Each of the modules is tried with each of the libraries.
export const MODULES = [
  { module: 'nodenext', moduleResolution: 'nodenext' },
  { module: 'esnext', moduleResolution: 'bundler' },
]
export const LIBRARIES = [['es2022'], ['esnext', 'dom', 'dom.iterable']]
export const COMMON = {
  ...{ target: 'es2022', strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
  ...{ skipLibCheck: false, noEmit: true, types: [] },
}
