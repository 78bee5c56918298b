ALTER TABLE domains ADD moderateAllAnonymous boolean DEFAULT true;
