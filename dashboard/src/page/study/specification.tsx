/** What the study was asked to do, as YAML and as a program, and its schedule to take home. */

import { useState } from 'preact/hooks';
import type { Fault, SpecificationTexts, StudyDetail } from '../../api.ts';
import { save } from '../charts/export.ts';
import { CodeBlock, FaultNote, Section, Waiting } from '../parts/common.tsx';
import { type Language, LanguageTabs } from '../parts/language-tabs.tsx';
import { ask, askText, faultOf } from '../state/http.ts';

interface SpecificationProps {
  readonly detail: StudyDetail;
  readonly id: string;
  readonly position: number;
}

/** Formats, what they are called, and how files of them end. */
const FILES = [
  ['csv', 'CSV', 'csv'],
  ['json', 'JSON', 'json'],
  ['pytorch', 'PyTorch', 'py'],
  ['keras', 'Keras', 'py'],
  ['tfjs', 'TensorFlow.js', 'ts'],
  ['optax', 'Optax', 'py'],
] as const;

export function Specification({ detail, id, position }: SpecificationProps) {
  const [texts, setTexts] = useState<SpecificationTexts | undefined>(undefined);
  const [language, setLanguage] = useState<Language>('yaml');
  const [fault, setFault] = useState<Fault | undefined>(undefined);
  const take = async (format: string, ending: string) => {
    try {
      const text = await askText(`/api/studies/${id}/schedule?trial=${position}&format=${format}`);
      save(`schedule-${id}.${ending}`, 'text/plain', text);
      setFault(undefined);
    } catch (error) {
      setFault(faultOf(error));
    }
  };
  const read = (open: boolean) => {
    if (open && texts === undefined)
      void ask<SpecificationTexts>(`/api/studies/${id}/texts`).then(setTexts, () => undefined);
  };
  return (
    <Section title="Take it home">
      <div class="buttons">
        The schedule of this trial as
        {FILES.map(([format, text, ending]) => (
          <button key={format} type="button" onClick={() => void take(format, ending)}>
            {text}
          </button>
        ))}
      </div>
      {fault && <FaultNote fault={fault} />}
      <details onToggle={(event) => read(event.currentTarget.open)}>
        <summary>The specification of {detail.study.displayName || id}, with every default</summary>
        <LanguageTabs first="yaml" chosen={language} choose={setLanguage} />
        {texts ? <CodeBlock text={texts[language]} label={language} /> : <Waiting what="the specification" />}
      </details>
    </Section>
  );
}
