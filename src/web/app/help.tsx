// The keys of the page: what they do. Their list is a dialog.

import { signal } from '@preact/signals';
import { go, href, subject, viewOf } from './core/route';

export const helpOpen = signal(false);

const VIEWS: Record<string, string> = { o: 'overview', b: 'backlinks', r: 'referringdomains', a: 'linktexts', p: 'bestpages', n: 'newbacklinks', l: 'lostbacklinks', c: 'crawl', g: 'graph' };

let leader = 0;

function onKey(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.metaKey || event.ctrlKey || event.altKey) return;
  if (target.closest('input, textarea, select, dialog, [contenteditable]')) {
    if (event.key === 'Escape' && target.id === 'search') target.blur();
    return;
  }
  const press = (selector: string) => document.querySelector<HTMLElement>(selector)?.click();
  if (Date.now() - leader < 1200) {
    leader = 0;
    const name = VIEWS[event.key];
    if (name === 'crawl') go(href({ view: 'crawl' }));
    else if (name && subject.value) go(viewOf(name, name === 'overview' ? { view: null } : {}));
    if (name) event.preventDefault();
    return;
  }
  const actions: Record<string, () => void> = {
    '/': () => document.getElementById('search')?.focus(),
    '?': () => (helpOpen.value = true),
    g: () => (leader = Date.now()),
    j: () => step(1),
    k: () => step(-1),
    Enter: () => document.activeElement?.matches('[data-row]') && document.activeElement.querySelector<HTMLElement>('[data-main], a')?.click(),
    f: () => press('#add-filter'),
    e: () => {
      press('#export > summary');
      document.querySelector<HTMLElement>('#export a')?.focus();
    },
    c: () => press('#copy-curl'),
    x: () => subject.value && go(href({ view: 'compare', url: [subject.value] })),
  };
  const action = actions[event.key];
  if (!action) return;
  if (event.key !== 'Enter' || document.activeElement?.matches('[data-row]')) event.preventDefault();
  action();
}

function step(by: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')];
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement?.closest('[data-row]') as HTMLElement);
  rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by))]!.focus();
}

export function listenToKeys(): void {
  addEventListener('keydown', onKey);
}
