/** A private PostgreSQL server: the one that the machine has, else that of npm's packages. No root is needed. */

export { TEST_PASSWORD, TestPostgres } from '@glocal/trainer/testing';
