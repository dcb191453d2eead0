using Gateway.SampleProvider;

await SampleProviderApp.Build(args).RunAsync();
