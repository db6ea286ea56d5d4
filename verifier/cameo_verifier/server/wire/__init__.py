"""The wire: conversion between messages and values, validation, errors, uploads."""
