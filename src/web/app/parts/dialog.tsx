// Dialogs over the page: what a figure counts, and the keys. They are loaded when one is opened first.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useAnswer } from '../core/api';
import { has, t } from '../core/i18n';
import { helpOpen } from '../help';
import { Icon } from './bits';
import { defined } from './menu';
import { Skeleton } from './states';

function Dialog({ title, close, children }: { title: string; close: () => void; children: ComponentChildren }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    box.current?.showModal();
  }, []);
  return (
    <dialog ref={box} onClose={close} aria-label={title} onClick={(event) => event.target === box.current && box.current?.close()}>
      <header>
        <h2>{title}</h2>
        <form method="dialog"><button class="plain" aria-label={t('action.close')}><Icon name="close" /></button></form>
      </header>
      <div class="body">{children}</div>
    </dialog>
  );
}

/** What the figures of an endpoint mean: in short here, in full in the words of the API. */
function Definition() {
  const name = defined.value;
  if (!name) return null;
  const short = `about.${name}`;
  return (
    <Dialog title={t('menu.about')} close={() => (defined.value = null)}>
      {has(short) && <p class="lead">{t(short)}</p>}
      <Full name={name} />
      <h3>{t('about.words')}</h3>
      <dl class="words">
        {(['backlink', 'domain', 'nofollow', 'active', 'rank', 'count'] as const).map((word) => [
          <dt key={word}>{t(`word.${word}`)}</dt>,
          <dd key={`${word}d`}>{t(`word.${word}.is`)}</dd>,
        ])}
      </dl>
    </Dialog>
  );
}

function Full({ name }: { name: string }) {
  const { data } = useAnswer('/openapi.json');
  const operation = data?.paths?.[`/${name}`]?.get;
  if (!data) return <Skeleton lines={3} />;
  const columns: { name: string; description: string; unit?: string }[] = (operation?.['x-columns'] ?? []).filter((one: any) => one.description);
  return (
    <div lang="en">
      {operation?.summary && <p><strong>{operation.summary}</strong></p>}
      {operation?.description && <p class="prose">{operation.description}</p>}
      {columns.length > 0 && (
        <dl class="words">
          {columns.map((column) => [<dt key={column.name}><code>{column.name}</code></dt>, <dd key={`${column.name}d`}>{column.description}</dd>])}
        </dl>
      )}
      <p class="muted"><code>GET /{name}</code></p>
    </div>
  );
}

/** The list of the keys. */
function Keys() {
  if (!helpOpen.value) return null;
  const keys: [string, string][] = [
    ['/', t('key.search')], ['g o', t('nav.overview')], ['g b', t('nav.backlinks')], ['g r', t('nav.referringdomains')], ['g a', t('nav.linktexts')], ['g p', t('nav.bestpages')],
    ['g n', t('nav.newbacklinks')], ['g l', t('nav.lostbacklinks')], ['g g', t('nav.graph')], ['g c', t('nav.crawl')], ['j k', t('key.rows')], ['Enter', t('key.open')], ['f', t('key.filter')],
    ['e', t('key.export')], ['c', t('key.curl')], ['x', t('key.compare')], ['?', t('key.help')],
  ];
  return (
    <Dialog title={t('help.title')} close={() => (helpOpen.value = false)}>
      <dl class="keys">{keys.map(([key, text]) => <div key={key}><dt>{key.split(' ').map((one) => <kbd key={one}>{one}</kbd>)}</dt><dd>{text}</dd></div>)}</dl>
    </Dialog>
  );
}

export function Dialogs() {
  return <><Definition /><Keys /></>;
}
