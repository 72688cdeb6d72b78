// Dialogs over the page: what a figure counts, and the keys.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useAnswer } from '../core/api';
import { has, t } from '../core/i18n';
import { Icon } from './bits';
import { defined } from './menu';
import { Skeleton } from './states';

export function Dialog({ title, close, children }: { title: string; close: () => void; children: ComponentChildren }) {
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
export function Definition() {
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
