// A block of the overview: a heading that leads to the whole list, the first rows of it, and the corner menu.

import type { ComponentChildren } from 'preact';
import { Param, path, Reply, useAnswer } from '../core/api';
import { t } from '../core/i18n';
import { query, subject } from '../core/route';
import { Icon } from './bits';
import { Asked, Corner } from './menu';
import { Problem, Skeleton } from './states';

/** The parameters that say which scope is meant. */
export function scopeParams(): Param[] {
  const params: Param[] = [['url', subject.value]];
  for (const name of ['scope', 'internal']) {
    const value = query.value.get(name);
    if (value) params.push([name, value]);
  }
  return params;
}

interface Props {
  title: string;
  endpoint: string;
  params?: Param[];
  to?: string;
  lines?: number;
  class?: string;
  rows?: boolean;
  children: (data: Reply) => ComponentChildren;
}

export function Block({ title, endpoint, params = [], to, lines = 6, class: name = '', rows, children }: Props) {
  const asked: Asked = { endpoint, params: [...scopeParams(), ...params], rows };
  const { data, failure, loading } = useAnswer(path(endpoint, asked.params));
  if (failure?.status === 404) return null;
  const content = data ? children(data) : null;
  return (
    <section class={`card block ${name}`} aria-busy={loading}>
      <header>
        <h2>{to ? <a href={to}>{title} <Icon name="right" /></a> : title}</h2>
        <Corner asked={asked} title={title} />
      </header>
      <div class={loading && data ? 'stale' : ''}>
        {data ? (content ?? <p class="muted nothing">{t('empty.none')}</p>) : failure && !loading ? <Problem failure={failure} /> : <Skeleton lines={lines} />}
      </div>
      {data?.exportFinished === false && <p class="reading" role="status">{t('state.reading')}</p>}
    </section>
  );
}
