/** Which language a specification is shown in. */

export type Language = 'typescript' | 'yaml';

const TITLES: Readonly<Record<Language, string>> = { typescript: 'TypeScript', yaml: 'YAML' };

interface LanguageTabsProps {
  /** The one to the left. */
  readonly first: Language;
  readonly chosen: Language;
  choose(language: Language): void;
}

export function LanguageTabs({ first, chosen, choose }: LanguageTabsProps) {
  const languages: readonly Language[] = first === 'yaml' ? ['yaml', 'typescript'] : ['typescript', 'yaml'];
  return (
    <div class="tabs" role="tablist" aria-label="Language">
      {languages.map((one) => (
        <button key={one} type="button" role="tab" aria-selected={chosen === one} onClick={() => choose(one)}>
          {TITLES[one]}
        </button>
      ))}
    </div>
  );
}
