// The address of the page. A view is a query string with the names of the API's parameters, so that the address of a
// view and the request behind it differ only in their path.

import { computed, signal } from '@preact/signals';

export const query = signal(new URLSearchParams(location.search));

export const subject = computed(() => query.value.get('url')?.trim() ?? '');
export const view = computed(() => query.value.get('view') ?? (subject.value ? 'overview' : 'start'));
/** What the view is about: a view of the whole index, of the API or of the help is about nothing, whatever `url` says. */
export const about = computed(() => (['api', 'crawl', 'domains', 'help'].includes(view.value) ? '' : subject.value));

export type Changes = Record<string, string | number | null | undefined | string[]>;

/** Whether the list has one row per referring domain. */
export const grouped = computed(() => view.value === 'backlinks' && query.value.get('group') === 'domain');

/** Writes a query with spaces as %20 and leaves characters that are legal in a query as they are. */
export function encode(params: Iterable<[string, string]>): string {
  const part = (text: string) =>
    encodeURIComponent(text).replace(/%(2F|3A|2C|40|5B|5D)/g, (code) => decodeURIComponent(code));
  return [...params].map(([name, value]) => `${part(name)}=${part(value)}`).join('&');
}

/** The address of a view: the parameters of `base` with some of them changed; null or '' removes one. */
export function href(changes: Changes, base: URLSearchParams | null = null): string {
  const params = new URLSearchParams(base ?? undefined);
  for (const [name, value] of Object.entries(changes)) {
    params.delete(name);
    if (Array.isArray(value)) value.forEach((item) => params.append(name, item));
    else if (value !== null && value !== undefined && value !== '') params.set(name, String(value));
  }
  const text = encode(params);
  return text ? `/?${text}` : '/';
}

/** The address of the present view with some parameters changed. Paging starts over unless `offset` is given. */
export function here(changes: Changes): string {
  return href({ offset: null, ...changes }, query.value);
}

/** The address of another view of the present subject; its scope is kept, its filters are not. */
export function viewOf(name: string, changes: Changes = {}): string {
  const params = query.value;
  return href({ url: subject.value, scope: params.get('scope'), internal: params.get('internal'), view: name, ...changes });
}

export function go(address: string, replace = false): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', address);
  query.value = new URLSearchParams(location.search);
  if (!replace) scrollTo(0, 0);
}

/** Follows links within the page without loading it again. */
export function followLinks(): void {
  addEventListener('popstate', () => (query.value = new URLSearchParams(location.search)));
  addEventListener('click', (event) => {
    const anchor = (event.target as Element).closest?.('a');
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!anchor || !plain || event.defaultPrevented || anchor.target || anchor.hasAttribute('download')) return;
    const address = new URL(anchor.getAttribute('href') ?? '', location.href);
    if (address.origin !== location.origin || address.pathname !== '/' || address.hash) return;
    event.preventDefault();
    go(address.pathname + address.search);
  });
}
