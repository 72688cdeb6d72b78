// Keeps a fault in one view from taking the page with it.

import { Component } from 'preact';
import type { ComponentChildren } from 'preact';
import { t } from '../core/i18n';

export function Fault({ text }: { text: string }) {
  return (
    <div class="note bad" role="alert">
      <strong>{t('state.fault')}</strong>
      {text && <p lang="en"><code>{text}</code></p>}
      <button type="button" onClick={() => location.reload()}>{t('action.reload')}</button>
    </div>
  );
}

export class Guard extends Component<{ children: ComponentChildren }, { fault: string | null }> {
  state = { fault: null as string | null };

  static getDerivedStateFromError(error: unknown) {
    return { fault: String(error) };
  }

  render() {
    return this.state.fault === null ? this.props.children : <Fault text={this.state.fault} />;
  }
}
