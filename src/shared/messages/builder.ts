// Messages to and from the builder's thread. Owns no behaviour.

/** Its `workerData`. */
export interface BuilderData {
  /** Directory of this machine with the kernel's packages. */
  readonly kernelDirectory: string
  /** Zip archive of this machine with the `tzdata` package; scripts/zoneinfo.mjs makes it. */
  readonly timeZoneFile: string
}

/** The only message it sends: the bytes of an image file, or why there is none. */
export type BuilderReply =
  | { readonly ok: true; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly ok: false; readonly reason: string }
