/** A page of the documentation. `name` is its path from the root of the repository. */
export interface Page {
  readonly name: string
  readonly text: string
}

export interface Example {
  /** The page's name and the example's number on it. */
  readonly name: string
  readonly code: string
  readonly withPackages: boolean
  readonly withServer: boolean
}

export declare const pages: readonly Page[]
export declare const examples: readonly Example[]
