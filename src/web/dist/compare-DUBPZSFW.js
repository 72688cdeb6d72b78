import{a,b}from"./chunk-PV3YMKV6.js";import"./chunk-RLMEEDCW.js";import"./chunk-PLH7DGOS.js";import"./chunk-26Z6DNHW.js";export{b as Add,a as Compare};
