/** The rules of a specification that need no server: what clients check before a call is made. */

export { brokenRules } from '../study/rules.ts';
