/** The name that the contract gives a value of an enum; the number of one that it does not know. */
export function enumName<Value>(values: Readonly<Record<string, Value>>, value: Value): string {
  return Object.keys(values).find((name) => values[name] === value) ?? String(value);
}
