// Types for Comlink's ES module build, which has none. The library imports that build because Node cannot import the UMD build, which is
// the package's entry point, by named exports.
declare module 'comlink/dist/esm/comlink.mjs' {
  export * from 'comlink'
}
