// What a block shows instead of its content: a skeleton, a refusal, or the reason why there is nothing.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Failure, Param, path, post, Reply, retryAll, useAnswer } from '../core/api';
import { t } from '../core/i18n';
import { href, query, subject, viewOf } from '../core/route';
import { twin } from '../core/text';
import { operates } from '../session';
import { Reasons } from './explained';

/** Grey lines in the place of what is to come, as high as that, so that nothing moves later. */
export function Skeleton({ lines = 5, class: name = '' }: { lines?: number; class?: string }) {
  return (
    <div class={`skeleton ${name}`} aria-busy="true">
      <span class="unseen">{t('state.loading')}</span>
      {Array.from({ length: lines }, (_, index) => <span key={index} class={`w${(index * 7 + 3) % 4}`} />)}
    </div>
  );
}

/** A refusal in the server's words, which say what to change. */
export function Problem({ failure, children }: { failure: Failure; children?: ComponentChildren }) {
  const heading = failure.status === 403 ? t('state.forbidden') : failure.status === 404 ? t('state.absent') : failure.status >= 500 ? t('state.broken') : t('state.refused');
  return (
    <div class="note bad" role="alert">
      <strong>{heading}</strong>
      {failure.message && <p lang="en">{failure.message}</p>}
      {children}
      {failure.status >= 500 && <button type="button" onClick={retryAll}>{t('action.retry')}</button>}
    </div>
  );
}

/** Why a list has no rows: the filter, or what the index knows of the subject. */
export function Nothing({ data, filtered, children }: { data: Reply; filtered?: boolean; children?: ComponentChildren }) {
  const known = data.known;
  const reasons = known === 'unknown' || known === 'discovered' ? [] : (data.warnings ?? []).filter((text) => !ofThisPage(text));
  return (
    <div class="note empty">
      <strong>{filtered ? t('empty.filtered') : known === 'unknown' ? t('empty.unknown') : known === 'discovered' ? t('empty.discovered') : t('empty.none')}</strong>
      {!filtered && reasons.map((text) => <p key={text} lang="en">{text}</p>)}
      {!filtered && known === 'unknown' && <p>{t('empty.unknown.hint')}</p>}
      {!filtered && subject.value && <Twin url={subject.value} />}
      {!filtered && (known === 'discovered' || known === 'unknown') && subject.value && <Reasons url={subject.value} />}
      {!filtered && known === 'discovered' && <p><a href={viewOf('page')}>{t('empty.explain')}</a></p>}
      {!filtered && (known === 'discovered' || known === 'unknown') && subject.value && <Visit url={subject.value} />}
      {children}
    </div>
  );
}

/** Says that the host with `www.`, or that without it, has links, where this one has none. Both belong to one domain. */
function Twin({ url }: { url: string }) {
  const scope = query.value.get('scope') ?? '';
  const apart = ['host', 'prefix', 'url'].includes(scope) || (!scope && /[^/:]\//.test(url));
  const other = twin(url);
  const { data } = useAnswer(apart ? path('backlinks', [['url', other], ...(scope ? [['scope', scope] as Param] : []), ['limit', '0']]) : null);
  if (!data?.count) return null;
  return <p>{t('empty.twin', { n: data.count, name: other })} <a href={href({ url: other }, query.value)}>{t('empty.twin.go')}</a></p>;
}

/** Asks the crawl of this server to visit what is missing. */
function Visit({ url }: { url: string }) {
  const { data } = useAnswer('/crawl');
  const [state, setState] = useState<'' | 'busy' | 'sent' | Failure>('');
  if (!data?.state || data.state === 'none' || !operates()) return null;
  if (state === 'sent') return <p role="status">{t('first.sent')} <a href={href({ view: 'crawl' })}>{t('first.watch')}</a></p>;
  const send = () => {
    setState('busy');
    post('/crawl/seeds', { urls: [url] }).then(() => setState('sent'), setState);
  };
  return (
    <>
      <button type="button" class="primary" disabled={state === 'busy'} onClick={send}>{t('empty.visit')}</button>
      {state instanceof Failure && state.message && <p class="refusal" role="alert" lang="en">{state.message}</p>}
    </>
  );
}

/** Warnings of the server about parameters that a server of an older version does not know are not for the reader. */
export function ofThisPage(warning: string): boolean {
  return /^parameter "(facets|atLeast|since|random)"/.test(warning);
}

export function Warnings({ data }: { data: Reply }) {
  const texts = (data.warnings ?? []).filter((text) => !ofThisPage(text));
  if (!texts.length || data.count === 0) return null;
  return <ul class="warnings" lang="en">{texts.map((text) => <li key={text}>{text}</li>)}</ul>;
}
