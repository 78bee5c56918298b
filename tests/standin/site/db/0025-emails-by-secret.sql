CREATE INDEX unsubscribeSecretHexIndex ON emails (unsubscribeSecretHex);
