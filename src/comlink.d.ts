// Comlink's ES module build has no types of its own. It is the one imported, because Node cannot name the exports of the
// UMD build that the package's entry points to.
declare module 'comlink/dist/esm/comlink.mjs' {
  export * from 'comlink'
}
