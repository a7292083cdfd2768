// The name of a heading in links, as GitHub makes it: pages read the same there and on the site.

/** @param {string} heading its text, without marks */
export function slugOf(heading) {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\- _]/gu, '')
    .replaceAll(' ', '-')
}
