using Microsoft.Extensions.Localization;
using MudBlazor;

namespace DeviceHub.Dashboard.Shared;

/// <summary>MudBlazor's own texts, where we have them in the reader's language; English ones are its own.</summary>
internal sealed class MudWords(IStringLocalizer<MudWords> words) : MudLocalizer
{
    public override LocalizedString this[string key] => words[key];
}
