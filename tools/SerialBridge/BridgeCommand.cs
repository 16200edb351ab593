using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace DeviceHub.Tools.SerialBridge;

/// <summary>The command line.</summary>
internal static class BridgeCommand
{
    private const string English = "en";
    private const string Chinese = "zh";
    private const int NotRight = 2;

    public static RootCommand Build()
    {
        var texts = new Texts(MachineLanguage());
        var config = new Option<FileInfo>("--config")
        {
            HelpName = "FILE", DefaultValueFactory = _ => new("/etc/devicehub/serial-bridge.json"), Description = texts["HelpConfig"], Recursive = true,
        };
        var set = new Option<string[]>("--set") { HelpName = "SECTION:NAME=VALUE", DefaultValueFactory = _ => [], Description = texts["HelpSet"], Recursive = true };
        var language = new Option<string?>("--language") { Description = texts["HelpLanguage"], Recursive = true };
        language.AcceptOnlyFromAmong(English, Chinese);
        Texts Chosen(ParseResult values) => values.GetValue(language) is { } chosen ? new Texts(Culture(chosen)) : texts;

        var ports = new Command("ports", texts["HelpPorts"]);
        ports.SetAction(values => Guarded(Chosen(values), () =>
        {
            using var host = BridgeApplication.Builder(values.GetValue(config)!.FullName, values.GetValue(set)!).Build();
            PortList.Write(host.Services, Chosen(values), Console.Out);
            return Task.FromResult(0);
        }));
        var command = new RootCommand(texts["Help"]) { config, set, language, ports };
        command.SetAction((values, stop) => Guarded(Chosen(values), () => Run(values.GetValue(config)!.FullName, values.GetValue(set)!, Chosen(values), stop)));
        return command;
    }

    private static async Task<int> Run(string config, string[] changes, Texts texts, CancellationToken stop)
    {
        var builder = BridgeApplication.Builder(config, changes);
        builder.Services.AddSingleton(texts);
        builder.Services.AddHostedService<StateScreen>();
        using var host = builder.Build();
        await host.RunAsync(stop);
        return 0;
    }

    private static async Task<int> Guarded(Texts texts, Func<Task<int>> action)
    {
        try
        {
            return await action();
        }
        catch (Exception e) when (e is OptionsValidationException or InvalidDataException or IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            await Console.Error.WriteLineAsync(texts.Format("CannotStart", e.Message));
            return NotRight;
        }
    }

    private static CultureInfo MachineLanguage() =>
        Culture(CultureInfo.CurrentUICulture.TwoLetterISOLanguageName == Chinese ? Chinese : English);

    private static CultureInfo Culture(string language) => CultureInfo.GetCultureInfo(language == Chinese ? "zh-Hans" : English);
}
