"""Between messages and values: conversion, validation, errors, uploads."""
